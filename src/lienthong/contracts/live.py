"""The contracts in force, to which one can be added while a process runs: who reads goes on with what there was when they began."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lienthong.contracts.model import Contract


class LiveContracts(Mapping[str, Contract]):
    """By dataset id, in order of id."""

    def __init__(self, held: Mapping[str, Contract]) -> None:
        self._held = dict(held)

    def add(self, contract: Contract) -> None:
        """From now on this contract is among them."""
        self._held = dict(sorted({**self._held, contract.id: contract}.items()))

    def __getitem__(self, dataset: str) -> Contract:
        return self._held[dataset]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

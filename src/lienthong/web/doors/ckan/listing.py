"""The packages one caller may have, in order, with what a search needs of all of them at once: values as columns, ranks by field. Each column is made when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from lienthong.contracts import Contract
from lienthong.store.publications import Publication
from lienthong.web.doors.ckan.packages import BEFORE_EVERYTHING, Listed

MOST_KEPT = 8  # lists of callers with different rights
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Column:
    """A field of words: (package, place of one of its values) in two columns, and the values."""

    packages: Numbers
    places: Numbers
    values: tuple[str, ...]

    def counted(self, chosen: Numbers, size: int) -> list[tuple[str, int]]:
        """How many of the chosen packages have each value; of `size` packages all in all."""
        met = np.zeros(size, dtype=bool)
        met[chosen] = True
        counts = np.bincount(self.places[met[self.packages]], minlength=len(self.values)).tolist()
        return list(zip(self.values, counts, strict=True))


class Listing(Sequence[Listed]):
    """Some packages, in the order of their datasets' ids."""

    def __init__(self, packages: Sequence[Listed]) -> None:
        self._packages = tuple(packages)
        self._columns: dict[str, Column] = {}
        self._ranks: dict[str, Numbers] = {}

    @overload
    def __getitem__(self, place: int) -> Listed: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Listed, ...]: ...
    def __getitem__(self, place: int | slice) -> Listed | tuple[Listed, ...]:
        return self._packages[place]

    def __len__(self) -> int:
        return len(self._packages)

    def __iter__(self) -> Iterator[Listed]:
        return iter(self._packages)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Dataset → its place in the list."""
        return {each.contract.id: place for place, each in enumerate(self._packages)}

    @cached_property
    def agencies(self) -> Mapping[str, str]:
        """Name of an organisation → code of the agency."""
        return {each.organization: each.contract.agency for each in self._packages}

    def column(self, field: str) -> Column:
        """The values of a field of words, as facets count them."""
        if field not in self._columns:
            known: dict[str, int] = {}
            pairs = [
                (number, known.setdefault(value, len(known)))
                for number, each in enumerate(self._packages)
                for value in dict.fromkeys(each.values(field))
            ]
            both = np.asarray(pairs, dtype=np.intp).reshape(-1, 2)
            self._columns[field] = Column(both[:, 0].copy(), both[:, 1].copy(), tuple(known))
        return self._columns[field]

    def ranks(self, field: str) -> Numbers:
        """Where each package stands by a field; equal ones stand together."""
        if field not in self._ranks:
            values: list[Any] = [each.document[field] for each in self._packages]
            places = {value: place for place, value in enumerate(sorted(set(values)))}
            self._ranks[field] = np.fromiter((places[value] for value in values), np.intp, len(values))
        return self._ranks[field]


@dataclass(frozen=True)
class _Made:
    contracts: Sequence[Contract]
    facts: Mapping[str, Publication]
    owners: Mapping[str, str]
    listing: Listing


class Packages:
    """Packages made once for each version of a dataset, lists of them once for whoever sees the same: what is asked for again is not made again."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._kept: dict[str, Listed] = {}
        self._lists: tuple[_Made, ...] = ()

    def of(self, contracts: Sequence[Contract], facts: Mapping[str, Publication], owner: Callable[[str], str]) -> Listing:
        """The packages of some datasets, in their order."""
        for made in self._lists:
            if made.facts is facts and made.contracts == contracts and all(owner(code) == name for code, name in made.owners.items()):
                return made.listing
        owners = {code: owner(code) for code in {contract.agency for contract in contracts}}
        listing = Listing([self.one(contract, facts, owners[contract.agency]) for contract in contracts])
        fresh = tuple(made for made in self._lists if made.facts is facts)
        self._lists = (_Made(list(contracts), facts, owners, listing), *fresh)[:MOST_KEPT]
        return listing

    def one(self, contract: Contract, facts: Mapping[str, Publication], owner: str) -> Listed:
        """The package of one dataset."""
        known = facts.get(contract.id, BEFORE_EVERYTHING)
        kept = self._kept.get(contract.id)
        if kept is None or kept.contract is not contract or (kept.facts is not known and kept.facts != known) or kept.owner != owner:
            kept = self._kept[contract.id] = Listed(contract, known, owner, self._base)
        return kept

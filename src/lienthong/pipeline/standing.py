"""A delivery beside what is published already: by the digests of its rows as they came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class Standing:
    """The digests behind the current records; a delivery's rows are met a batch at a time, in their order."""

    def __init__(self, digests: NDArray[np.int64]) -> None:
        ordered = np.sort(digests)
        self._digests = ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered  # np.unique hashes first: slower
        self._is_met = np.zeros(len(self._digests), np.bool_)
        self._new: list[NDArray[np.bool_]] = [np.empty(0, np.bool_)]

    def meet(self, digests: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these rows are new. A row delivered twice is as it was once; its copy counts as new, and is judged."""
        new = np.ones(len(digests), np.bool_)
        if len(self._digests) and len(digests):
            order = np.argsort(digests, kind="stable")
            ordered = digests[order]  # sorted in sorted: kind to the cache
            places, found = _found(ordered, self._digests)
            found &= ~self._is_met[places]
            found[1:] &= ordered[1:] != ordered[:-1]
            self._is_met[places[found]] = True
            new[order] = ~found
        self._new.append(new)
        return new

    def compared(self) -> Compared:
        """What the whole delivery came to."""
        return Compared(np.concatenate(self._new), self._digests[~self._is_met])


@dataclass(frozen=True)
class Compared:
    """`new`: which rows of the delivery are to be judged. `missing`: digests of current records that it does not hold."""

    new: NDArray[np.bool_]
    missing: NDArray[np.int64]


def is_in(values: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which values occur in the sorted array `among`."""
    if not len(among):
        return np.zeros(len(values), np.bool_)
    return _found(values, among)[1]


def _found(values: NDArray[np.int64], among: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    places = np.searchsorted(among, values)
    places[places == len(among)] = 0
    found: NDArray[np.bool_] = among[places] == values
    return places, found

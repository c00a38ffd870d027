"""The truth beside the deliveries: who each row is about, and every error made. Evaluation reads it; the platform never does."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from demo.province.damage import Observer
from demo.province.observed import Observed, links
from demo.province.overlaps import overlaps
from demo.province.world import World

CHANGE = "2025-07-01"
Places = tuple[pl.Series, pl.Series]


class Truth:
    """Collects while registers are written; writes Parquet at the end."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.counts: dict[str, int] = {}
        self._links: list[pl.DataFrame] = []
        self._errors: list[pl.DataFrame] = []

    def observed(self, register: str, seen: Observed, places: Places) -> None:
        self.rows(register, seen.truth["person"], seen.truth["rank"], places, seen.errors)

    def rows(self, register: str, entities: pl.Series, ranks: pl.Series, places: Places, errors: pl.DataFrame) -> None:
        """`places`: the file of each row, and its number there."""
        self.counts[register] = len(entities)
        self._links.append(links(register, entities, ranks, *places))
        self._errors.append(errors)

    def beside(self, register: str, entities: pl.Series, ranks: pl.Series, places: Places, errors: pl.DataFrame) -> None:
        """Persons who stand beside another in the same rows, such as a child's parents; null where there is none."""
        self._links.append(links(register, entities, ranks, *places))
        self._errors.append(errors)

    def representatives(self, enterprises: pl.DataFrame, places: Places) -> None:
        """Who each enterprise's representative is."""
        ranks = pl.zeros(enterprises.height, dtype=pl.Int32, eager=True)
        self._links.append(links("R7", enterprises["owner"], ranks, *places))

    def errors(self, observer: Observer) -> None:
        self._errors.append(observer.frame().with_columns(pl.col("row") + 1))

    def write(self, world: World, enterprises: pl.DataFrame, parcels: pl.DataFrame) -> None:
        outsiders = pl.concat([world.insured_outsiders, world.land_outsiders])
        persons = pl.concat([world.persons, outsiders], how="diagonal")
        codes = pl.DataFrame(
            {
                "commune": range(len(world.communes)),
                "old_code": [c["old_code"] for c in world.communes],
                "new_code": [c["new_code"] for c in world.communes],
            }
        )
        placed = persons.join(codes, on="commune", how="left", maintain_order="left")
        households = placed.group_by("household", maintain_order=True).agg(
            pl.len().alias("members"), pl.col("person").first().alias("head"), pl.col("old_code").first(), pl.col("new_code").first()
        )
        addresses = placed.select("person", "house", "hamlet", "old_code", "new_code", pl.lit(CHANGE).str.to_date().alias("new_code_from"))
        tables = {
            "persons": placed.drop("house", "hamlet"),
            "households": households,
            "enterprises": enterprises,
            "parcels": parcels,
            "addresses": addresses,
            "events": world.events,
            "links": pl.concat(self._links),
            "errors": pl.concat(self._errors),
            "overlaps": overlaps(world.persons, enterprises["owner"], world.insured_outsiders.height),
        }
        for name, frame in tables.items():
            frame.write_parquet(self.folder / f"{name}.parquet")

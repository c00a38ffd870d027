"""Writes the whole province: what each agency delivers, and beside it, never inside, the truth."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from demo.province.observed import links
from demo.province.registers.enterprises import write_enterprises
from demo.province.registers.indicators import write_indicators
from demo.province.registers.insurance import write_insurance
from demo.province.registers.land import write_land
from demo.province.registers.licences import write_licences
from demo.province.registers.poor_households import write_poor_households
from demo.province.registers.population import write_population
from demo.province.registers.readings import write_readings
from demo.province.registers.reference import write_reference
from demo.province.world import build_world

VERSION = "1"
OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Manifest:
    """What was written: rows by register, and the SHA-256 of every delivered file."""

    seed: int
    persons: int
    version: str
    counts: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


def generate(out: Path, persons: int = 20_000, seed: int = 1, on_step: OnStep | None = None) -> Manifest:
    """Write the province of (`persons`, `seed`) under `out`; the same arguments give the same bytes. What stood there before is replaced."""
    say = on_step or (lambda _: None)
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    say("world")
    world = build_world(persons, seed)
    say("population")
    seen = {"R1": write_population(world, out)}
    say("insurance")
    seen["R2"] = write_insurance(world, out)
    say("poor households")
    seen["R4"] = write_poor_households(world, out)
    say("land")
    seen["R6"], parcels = write_land(world, out)
    say("enterprises")
    enterprises, of_enterprises = write_enterprises(world, out)
    of_licences = write_licences(world, out, enterprises)
    say("readings and figures")
    hours, cells = write_readings(out, seed), write_indicators(out, seed)
    units, changes, agencies = write_reference(out)
    counts = {
        **{register: observed.count for register, observed in seen.items()},
        "parcels": parcels, "R7": enterprises.height, "R12 files": hours, "R13": cells, "units": units, "changes": changes, "agencies": agencies,
    }  # fmt: skip
    errors = [error for observed in seen.values() for error in observed.observer.errors] + of_enterprises.errors + of_licences.errors
    truth = out / "truth"
    truth.mkdir()
    world.persons.write_parquet(truth / "persons.parquet")
    enterprises.write_parquet(truth / "enterprises.parquet")
    pl.concat([links(register, observed) for register, observed in seen.items()]).write_parquet(truth / "links.parquet")
    pl.DataFrame(errors, schema=["register", "row", "field", "code", "true", "written"], orient="row").write_parquet(
        truth / "errors.parquet"
    )
    manifest = Manifest(seed, persons, VERSION, counts, _hashes(out))
    (truth / "manifest.json").write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1), encoding="utf-8")
    return manifest


def _hashes(out: Path) -> dict[str, str]:
    """Of the delivered files; workbooks and Parquet carry the time they were made and are left out."""
    files = (p for p in sorted(out.rglob("*")) if p.is_file() and p.suffix not in (".xlsx", ".parquet"))
    return {p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

"""Writes the whole province: what each agency delivers, and beside it, never inside, the truth."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from demo.province.observed import one_file
from demo.province.registers.civil_status import write_civil_status
from demo.province.registers.dossiers import write_dossiers
from demo.province.registers.education import write_pupils, write_schools, write_teachers
from demo.province.registers.enterprises import FILE as ENTERPRISES_FILE
from demo.province.registers.enterprises import write_enterprises
from demo.province.registers.facilities import write_facilities
from demo.province.registers.health_insurance import FILE as HEALTH_FILE
from demo.province.registers.health_insurance import write_health_insurance
from demo.province.registers.household_businesses import write_household_businesses
from demo.province.registers.indicators import write_indicators
from demo.province.registers.insurance import FILE as INSURANCE_FILE
from demo.province.registers.insurance import write_insurance
from demo.province.registers.investment import write_projects
from demo.province.registers.land_holders import holder_errors, holder_links, holder_places, write_holders
from demo.province.registers.licences import write_licences
from demo.province.registers.officials import VIEW as OFFICIALS_VIEW
from demo.province.registers.officials import write_officials
from demo.province.registers.parcels import draw_parcels, true_parcels, write_parcels
from demo.province.registers.poor_households import write_poor_households
from demo.province.registers.population import write_population
from demo.province.registers.protection import write_protection
from demo.province.registers.readings import write_readings
from demo.province.registers.reference import write_reference
from demo.province.truth import Truth
from demo.province.world import World, build_world

VERSION = "4"
OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Manifest:
    """What was written: rows by register, and the SHA-256 of every file."""

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
    truth = Truth(out / "truth")
    say("population")
    seen = write_population(world, out)
    truth.observed("R1", seen, one_file("cong_dan.nhan_khau", seen.count))
    say("insurance")
    seen = write_health_insurance(world, out)
    truth.observed("R2", seen, one_file(HEALTH_FILE, seen.count, first=2))
    say("poor households")
    truth.observed("R4", *write_poor_households(world, out))
    say("land")
    parcels = draw_parcels(world)
    write_parcels(world, out, parcels)
    truth.counts["parcels"] = len(parcels.ids)
    seen, holders = write_holders(world, out, parcels)
    truth.rows("R6", *holder_links(seen, holders), holder_places(world, parcels, holders), holder_errors(seen, holders))
    say("enterprises")
    enterprises, of_enterprises = write_enterprises(world, out)
    truth.counts["R7"] = enterprises.height
    truth.representatives(enterprises, one_file(ENTERPRISES_FILE, enterprises.height))
    truth.errors(of_enterprises)
    truth.errors(write_licences(world, out, enterprises))
    seen = write_insurance(world, out, enterprises)
    truth.observed("R3", seen, one_file(INSURANCE_FILE, seen.count))
    _write_people(world, out, truth, say)
    say("readings and figures")
    truth.counts["R12 files"], truth.counts["R13"] = write_readings(out, seed), write_indicators(out, seed)
    truth.counts["projects"], truth.counts["project months"] = write_projects(world, out)
    truth.counts["dossiers"] = write_dossiers(world, out)
    truth.counts["units"], truth.counts["changes"], truth.counts["agencies"] = write_reference(out)
    say("truth")
    truth.write(world, enterprises, true_parcels(world, parcels))
    manifest = Manifest(seed, persons, VERSION, truth.counts, _hashes(out))
    (out / "truth" / "manifest.json").write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1), encoding="utf-8")
    return manifest


def _write_people(world: World, out: Path, truth: Truth, say: OnStep) -> None:
    """The registers of those who are helped, born, taught and employed."""
    say("protection")
    truth.observed("R5", *write_protection(world, out))
    truth.observed("R7.households", *write_household_businesses(world, out))
    say("civil status")
    for book in write_civil_status(world, out):
        if book.is_about_one:
            truth.observed(book.register, book.seen, book.places)
        truth.counts[book.register] = book.seen.count
        for register, (persons, errors) in book.beside.items():
            truth.beside(register, persons, book.seen.truth["rank"], book.places, errors)
    say("education and health")
    truth.counts["schools"], truth.counts["health facilities"] = write_schools(world, out), write_facilities(world, out)
    truth.observed("R10", *write_pupils(world, out))
    truth.observed("R10.teachers", *write_teachers(world, out))
    say("officials")
    seen = write_officials(world, out)
    truth.observed("R11", seen, one_file(OFFICIALS_VIEW, seen.count))


def _hashes(out: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(out.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                found[path.relative_to(out).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found

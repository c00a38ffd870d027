"""Data-use regulations (quy chế khai thác, sử dụng): texts of the province, a file a version, each with its days in force and what it is about.

A file is YAML between two lines of `---`, then the text: `## ` begins an article, `- ` an item, an empty line a paragraph. What is not
said here (bold, links, tables) is not read: a regulation is printed as it stands. A version is never changed after its first day; a new
file follows it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from lienthong.contracts import Contract
from lienthong.errors import SettingsError

ALL = "all"
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
WORDS = frozenset(
    {
        "title",
        "title_en",
        "decision",
        "issued_by",
        "valid_from",
        "valid_to",
        "about",
        "legal_basis",
        "datasets",
        "services",
        "domains",
        "agencies",
    }
)
NEEDED = ("title", "title_en", "decision", "issued_by", "valid_from", "about")


@dataclass(frozen=True)
class Block:
    """One piece of the text. `kind`: heading, paragraph or item."""

    kind: str
    text: str


@dataclass(frozen=True)
class Regulation:
    """One version of a regulation. `about`: whose data use it rules, in a phrase; `datasets` … `agencies` what falls under it (`all`: everything)."""

    id: str
    version: str
    title: str
    title_en: str
    decision: str
    issued_by: str
    valid_from: date
    valid_to: date | None
    about: str
    legal_basis: str
    datasets: frozenset[str]
    services: frozenset[str]
    domains: frozenset[str]
    agencies: frozenset[str]
    blocks: tuple[Block, ...]

    def is_in_force(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def rules(self, contract: Contract) -> bool:
        """Whether a dataset falls under it."""
        return bool({contract.id, ALL} & self.datasets) or contract.domain in self.domains or contract.agency in self.agencies

    def rules_service(self, service: str, agency: str) -> bool:
        """Whether a brokered service falls under it."""
        return bool({service, ALL} & self.services) or agency in self.agencies


def load_regulations(folder: Path) -> tuple[Regulation, ...]:
    """Every version in `folder/<id>/<version>.md`, by id and first day; none where there is no folder. Raises SettingsError with every fault."""
    paths = sorted(folder.glob("*/*.md")) if folder.is_dir() else []
    return _load(tuple((path, path.stat().st_mtime_ns) for path in paths))


def in_force(regulations: Iterable[Regulation], on: date) -> list[Regulation]:
    """One version of each that is in force on a day."""
    return [each for each in regulations if each.is_in_force(on)]


def ruling(regulations: Iterable[Regulation], contract: Contract, on: date) -> list[Regulation]:
    """Those a dataset falls under on a day, the narrowest first."""
    return sorted((each for each in in_force(regulations, on) if each.rules(contract)), key=lambda each: (ALL in each.datasets, each.id))


def ruling_service(regulations: Iterable[Regulation], service: str, agency: str, on: date) -> list[Regulation]:
    """Those a brokered service falls under on a day."""
    found = (each for each in in_force(regulations, on) if each.rules_service(service, agency))
    return sorted(found, key=lambda each: (ALL in each.services, each.id))


def versions_of(regulations: Iterable[Regulation], id: str) -> list[Regulation]:
    """All versions of one, the newest first."""
    return sorted((each for each in regulations if each.id == id), key=lambda each: each.valid_from, reverse=True)


@lru_cache(maxsize=4)
def _load(paths: tuple[tuple[Path, int], ...]) -> tuple[Regulation, ...]:
    found: list[Regulation] = []
    faults: list[str] = []
    for path, _ in paths:
        try:
            found.append(_read(path))
        except (OSError, ValueError, yaml.YAMLError) as error:
            faults.append(f"`{path.parent.name}/{path.name}`: {error}")
    ended, overlaps = _followed(found)
    if faults or overlaps:
        raise SettingsError(
            f"Regulations have faults: {'; '.join([*faults, *overlaps])}.",
            hint="Mend the files of `LIENTHONG_REGULATIONS`.",
            vi=f"Quy chế khai thác có lỗi: {'; '.join([*faults, *overlaps])}.",
            hint_vi="Hãy sửa các tệp trong thư mục `LIENTHONG_REGULATIONS`.",
        )
    return tuple(ended)


def _followed(found: Sequence[Regulation]) -> tuple[list[Regulation], list[str]]:
    """Each version with its last day: the one before the next begins, where it says none. Two in force at once is a fault."""
    ended, faults = [], []
    ordered = sorted(found, key=lambda each: (each.id, each.valid_from))
    for n, each in enumerate(ordered):
        follows = ordered[n + 1] if n + 1 < len(ordered) and ordered[n + 1].id == each.id else None
        last = each.valid_to
        if follows is not None:
            before = follows.valid_from - timedelta(days=1)
            if before < each.valid_from or (last is not None and last > before):
                faults.append(f"`{each.id}`: {each.version} and {follows.version} are in force at once")
            last = before if last is None else last
        ended.append(replace(each, valid_to=last))
    return ended, faults


def _read(path: Path) -> Regulation:
    """Raises ValueError saying what is wrong."""
    parts = path.read_text("utf-8").split("---\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise ValueError("expected words between two lines of ---, then the text")
    words: Any = yaml.safe_load(parts[1])
    words = words if isinstance(words, Mapping) else {}
    unknown, missing = sorted(set(words) - WORDS), [name for name in NEEDED if not words.get(name)]
    if unknown or missing:
        raise ValueError(" ".join([*(f"unknown `{name}`" for name in unknown), *(f"missing `{name}`" for name in missing)]))
    days = [words["valid_from"], words.get("valid_to")]
    if not isinstance(days[0], date) or not (days[1] is None or (isinstance(days[1], date) and days[1] >= days[0])):
        raise ValueError("`valid_from`, `valid_to`: expected days in order")
    if ID.fullmatch(path.parent.name) is None or ID.fullmatch(path.stem) is None:
        raise ValueError("folder and file are named in small letters, digits and hyphens")
    blocks = tuple(_blocks(parts[2]))
    if not blocks:
        raise ValueError("there is no text")
    title, title_en, decision, issued_by = (str(words[name]) for name in ("title", "title_en", "decision", "issued_by"))
    datasets, services, domains, agencies = (
        frozenset(str(each) for each in words.get(name) or ()) for name in ("datasets", "services", "domains", "agencies")
    )
    return Regulation(
        path.parent.name, path.stem, title, title_en, decision, issued_by, days[0], days[1], str(words["about"]),
        str(words.get("legal_basis") or ""), datasets, services, domains, agencies, blocks,
    )  # fmt: skip


def _blocks(text: str) -> Iterable[Block]:
    held: list[str] = []
    for line in [*text.splitlines(), ""]:
        plain = line.strip()
        kind = "heading" if plain.startswith("## ") else "item" if plain.startswith("- ") else ""
        if (kind or not plain) and held:
            yield Block("paragraph", " ".join(held))
            held = []
        if kind:
            yield Block(kind, plain.partition(" ")[2].strip())
        elif plain:
            held.append(plain)

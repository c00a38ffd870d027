"""Reads the folder of syncs, one YAML file each, and says every fault at once. Secrets stand outside, as variables of the operator's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from lienthong.access import Identity
from lienthong.connectors import expand
from lienthong.connectors.target import TargetOptions
from lienthong.contracts import Contract
from lienthong.errors import BadRequest, SourceError, SyncError

PREFIX = "LIENTHONG_SYNC_"
FILE = "_FILE"
TABLES = ("postgresql", "mariadb", "sqlserver", "oracle")
FOLDERS = ("folder", "sftp")
KINDS = (*TABLES, *FOLDERS, "rest")
FORMATS = ("csv", "xlsx", "parquet")
WORDS = frozenset({"id", "title_vi", "title_en", "consumer", "dataset", "purpose", "official", "fields", "paused", "target"})
TARGET_WORDS: Mapping[str, frozenset[str]] = {
    "postgresql": frozenset({"table", "columns", "adopt"}),
    "mariadb": frozenset({"table", "columns", "adopt", "ca", "socket"}),
    "sqlserver": frozenset({"table", "columns", "adopt"}),
    "oracle": frozenset({"table", "columns", "adopt"}),
    "folder": frozenset({"name", "format"}),
    "sftp": frozenset({"name", "format", "host_key", "key_file"}),
    "rest": frozenset({"columns"}),
}
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_TABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}")
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_SECRET = re.compile(r"\$\{[A-Za-z0-9_]+\}")
Fault = tuple[str, str]


@dataclass(frozen=True)
class SyncDefinition:
    """One copy: whose subsystem has it, of which dataset, under which purpose, where. `columns`: field → its name there."""

    id: str
    title_vi: str
    title_en: str
    consumer: str
    dataset: str
    purpose: str
    official: str
    kind: str
    location: str
    password: str  # `${NAME}`, never the password itself
    fields: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    is_paused: bool = False
    adopts: bool = False
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_table(self) -> bool:
        return self.kind not in FOLDERS

    @property
    def where(self) -> str:
        """Where the copy is, without user and password."""
        place = urlsplit(self.location)
        if not place.scheme:
            return self.location
        name = self.more.get("table") or self.more.get("name") or ""
        return f"{self.kind}://{place.hostname or ''}{f':{place.port}' if place.port else ''}{place.path}{f'#{name}' if name else ''}"

    def options(self, variables: Mapping[str, str]) -> TargetOptions:
        """What the target needs, secrets filled in. Raises SyncError naming a variable that is not set."""
        try:
            return TargetOptions(
                self.kind,
                expand(self.location, variables),
                expand(self.password, variables) if self.password else "",
                {name: expand(value, variables) if isinstance(value, str) else value for name, value in self.more.items()},
            )
        except SourceError as error:
            name = re.search(r"\$\{([^}]*)\}", error.message)
            asked = name[1] if name else "?"
            raise SyncError(
                f"`{self.id}`: the variable ${{{asked}}} is not set.",
                hint=f"Set {PREFIX}{asked}, or {PREFIX}{asked}{FILE} to the path of a file that holds it.",
                vi=f"`{self.id}`: chưa đặt biến ${{{asked}}}.",
                hint_vi=f"Đặt {PREFIX}{asked}, hoặc đặt {PREFIX}{asked}{FILE} là đường dẫn của tệp chứa giá trị đó.",
            ) from error


def sync_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables definitions may use: `LIENTHONG_SYNC_…` by their names without the prefix; with `_FILE` at the end, what that file holds."""
    found: dict[str, str] = {}
    for name, value in environment.items():
        if not name.startswith(PREFIX):
            continue
        short = name.removeprefix(PREFIX)
        if short.endswith(FILE):
            try:
                found[short.removesuffix(FILE)] = Path(value).read_text("utf-8").strip()
            except OSError:  # told by name when a definition needs it
                continue
        else:
            found.setdefault(short, value)
    return found


def load_syncs(folder: Path, contracts: Mapping[str, Contract]) -> dict[str, SyncDefinition]:
    """Definitions by id; an absent folder has none. Raises SyncError with every fault and its file."""
    faults: list[Fault] = []
    found: dict[str, SyncDefinition] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            document = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
            faults.append((path.name, f"not readable as YAML: {str(error).splitlines()[0]}"))
            continue
        definition = read_sync(document, path.name, contracts, faults)
        if definition is not None and definition.id in found:
            faults.append((path.name, f"two syncs are called `{definition.id}`"))
        elif definition is not None:
            found[definition.id] = definition
    places = [(d.where, d.id) for d in found.values() if d.kind != "rest"]
    for where, id in places:
        if [each for each, _ in places].count(where) > 1:
            faults.append((id, f"another sync keeps the same place `{where}`"))
    if faults:
        told = "; ".join(f"{place}: {words}" for place, words in faults)
        raise SyncError(f"{len(faults)} faults in the folder of syncs: {told}.", hint="docs/reference/syncs.md has every word.")
    return found


def read_sync(document: Any, where: str, contracts: Mapping[str, Contract], faults: list[Fault]) -> SyncDefinition | None:
    """One definition; None when it has faults."""
    before = len(faults)
    if not isinstance(document, dict) or not isinstance(document.get("target"), dict):
        faults.append((where, "expected keys and values, with `target`"))
        return None
    target: dict[str, Any] = document["target"]
    faults += [(where, f"`{word}` is not understood") for word in sorted(set(document) - WORDS)]
    for word in ("id", "consumer", "dataset", "purpose", "official"):
        if not isinstance(document.get(word), str) or not document[word].strip():
            faults.append((where, f"`{word}` is missing"))
    kind = str(target.get("kind"))
    if kind not in KINDS:
        faults.append((where, f"`target.kind`: expected one of {', '.join(KINDS)}, found `{kind}`"))
    if len(faults) > before:
        return None
    known = TARGET_WORDS[kind] | {"kind", "location", "password"}
    faults += [(where, f"`target.{word}` is not understood") for word in sorted(set(target) - known)]
    _check_words(document, target, where, contracts, faults)
    if len(faults) > before:
        return None
    return SyncDefinition(
        id=document["id"],
        title_vi=str(document.get("title_vi", document["id"])),
        title_en=str(document.get("title_en", document["id"])),
        consumer=document["consumer"],
        dataset=document["dataset"],
        purpose=document["purpose"],
        official=document["official"],
        kind=kind,
        location=target["location"],
        password=str(target.get("password", "")),
        fields=tuple(document.get("fields") or ()),
        columns=dict(target.get("columns") or {}),
        is_paused=bool(document.get("paused", False)),
        adopts=bool(target.get("adopt", False)),
        more={
            **{word: target[word] for word in sorted(TARGET_WORDS[kind] - {"columns", "adopt"}) if word in target},
            **({"format": target.get("format", "csv")} if kind in FOLDERS else {}),
        },
    )


def _check_words(
    document: Mapping[str, Any], target: Mapping[str, Any], where: str, contracts: Mapping[str, Contract], faults: list[Fault]
) -> None:
    if not _ID.fullmatch(document["id"]):
        faults.append((where, "`id`: expected small letters, digits and `-`"))
    try:
        Identity.parse(document["consumer"])
    except BadRequest as error:
        faults.append((where, error.message))
    contract = contracts.get(document["dataset"])
    if contract is None:
        faults.append((where, f"there is no dataset `{document['dataset']}`"))
    names = [] if contract is None else [p.name for p in contract.properties]
    for word, chosen in (("fields", document.get("fields") or []), ("target.columns", target.get("columns") or {})):
        if not isinstance(chosen, list | dict):
            faults.append((where, f"`{word}`: expected a list of fields"))
            continue
        faults += [(where, f"`{word}`: `{name}` is no field of the dataset") for name in chosen if names and name not in names]
    columns = target.get("columns")
    if isinstance(columns, dict):
        faults += [
            (where, f"`target.columns`: `{name}` is no name of a column") for name in columns.values() if not _COLUMN.fullmatch(str(name))
        ]
        if len(set(columns.values())) < len(columns):
            faults.append((where, "`target.columns`: two fields would be one column"))
    location = target.get("location")
    if not isinstance(location, str) or not location:
        faults.append((where, "`target.location` is missing"))
    elif urlsplit(location).password is not None:
        faults.append((where, "`target.location` holds a password: write `password: ${NAME}` instead"))
    if target.get("password") is not None and not _SECRET.fullmatch(str(target["password"])):
        faults.append((where, "`target.password`: expected `${NAME}`, never the password itself"))
    if target["kind"] in TABLES and not _TABLE.fullmatch(str(target.get("table", ""))):
        faults.append((where, "`target.table`: expected `table` or `schema.table`"))
    if target["kind"] in FOLDERS:
        if not _ID.fullmatch(str(target.get("name", ""))):
            faults.append((where, "`target.name`: expected small letters, digits and `-`"))
        if target.get("format", "csv") not in FORMATS:
            faults.append((where, f"`target.format`: expected one of {', '.join(FORMATS)}"))
    if target["kind"] == "sftp" and not target.get("host_key"):
        faults.append((where, "`target.host_key` is missing: the server's public host key"))
    if target["kind"] == "rest" and urlsplit(str(location)).scheme not in ("http", "https") and not str(location).startswith("${"):
        faults.append((where, "`target.location`: expected http(s)://…"))

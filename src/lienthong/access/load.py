"""Reads the folder of subsystems and agreements, and says every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import yaml

from lienthong.access.agreement import Agreement, Operation, PublicKey, Quota, Register, RowCondition, State, Subsystem
from lienthong.access.endpoints import read_endpoint
from lienthong.access.identity import Identity
from lienthong.access.mask import MASKS
from lienthong.access.rows import OPERATORS
from lienthong.contracts import Contract
from lienthong.errors import AgreementError, BadRequest

Words = TypeVar("Words", bound=StrEnum)
Fault = tuple[str, str, str]
AGREEMENT_WORDS = frozenset(
    {
        "id", "provider", "consumer", "dataset", "state", "fields", "masked", "row_filter", "purposes", "operations", "legal_basis",
        "term", "quota", "officials_required", "place", "retention", "service", "endpoints",
    }
)  # fmt: skip
SUBSYSTEM_WORDS = frozenset({"identifier", "title_vi", "title_en", "keys", "active"})
SECRET_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})


def load_agreements(folder: Path, contracts: Mapping[str, Contract] | None = None) -> Register:
    """The register in `folder/subsystems/*.yaml` and `folder/agreements/*.yaml`; an absent folder is an empty register.

    Checked against the contracts when they are given. Raises AgreementError with every fault and its file.
    """
    faults: list[Fault] = []
    subsystems: dict[str, Subsystem] = {}
    for path in sorted((folder / "subsystems").glob("*.yaml")):
        subsystem = _subsystem(_read(path, faults), str(path), faults)
        if subsystem is not None:
            subsystems[subsystem.identifier] = subsystem
    agreements: list[Agreement] = []
    for path in sorted((folder / "agreements").glob("*.yaml")):
        agreement = _agreement(_read(path, faults), str(path), faults)
        if agreement is None:
            continue
        agreements.append(agreement)
        if agreement.consumer not in subsystems:
            faults.append((str(path), f"the consumer `{agreement.consumer}` is no known subsystem", "describe it under subsystems/"))
        if contracts is not None:
            _check_contract(agreement, contracts, str(path), faults)
    ids = [a.id for a in agreements]
    faults += [(str(folder), f"two agreements are called `{i}`", "") for i in sorted({i for i in ids if ids.count(i) > 1})]
    if faults:
        raise AgreementError(f"{len(faults)} faults in `{folder}`.", faults=tuple(faults))
    return Register(subsystems, tuple(sorted(agreements, key=lambda a: a.id)))


def _read(path: Path, faults: list[Fault]) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        faults.append((str(path), f"not readable as YAML: {error}".splitlines()[0], ""))
        return {}
    if not isinstance(found, dict):
        faults.append((str(path), "expected keys and values", ""))
        return {}
    return found


def _subsystem(found: dict[str, Any], where: str, faults: list[Fault]) -> Subsystem | None:
    before = len(faults)
    _unknown(found, SUBSYSTEM_WORDS, where, faults)
    agency = _agency(found.get("identifier"), f"{where}: identifier", faults)
    keys = []
    for n, key in enumerate(found.get("keys") or []):
        place = f"{where}: keys[{n}]"
        jwk = key.get("jwk") if isinstance(key, dict) else None
        if not isinstance(jwk, dict) or not jwk.get("kid"):
            faults.append((place, "expected `jwk` with a `kid`", ""))
        elif SECRET_PARTS & set(jwk):
            faults.append((place, "a private or shared key stands here", "keep it with the subsystem; only the public part belongs here"))
        else:
            keys.append(PublicKey(jwk, _date(key.get("valid_from"), place, faults), _date(key.get("valid_to"), place, faults)))
    if len(faults) > before or agency is None:
        return None
    return Subsystem(
        found["identifier"],
        agency,
        str(found.get("title_vi", "")),
        str(found.get("title_en", "")),
        tuple(keys),
        bool(found.get("active", True)),
    )


def _agreement(found: dict[str, Any], where: str, faults: list[Fault]) -> Agreement | None:
    before = len(faults)
    _unknown(found, AGREEMENT_WORDS, where, faults)
    if found.get("service") and not found.get("dataset"):  # a service is agreed on as a dataset is, by its id
        found = {"operations": [Operation.CALL.value], "dataset": found["service"], **found}
    for word in ("id", "provider", "consumer", "dataset", "purposes", "operations", "legal_basis", "term"):
        if not found.get(word):
            faults.append((f"{where}: {word}", "missing", ""))
    if len(faults) > before:
        return None
    _agency(found["consumer"], f"{where}: consumer", faults)
    term = found["term"] if isinstance(found["term"], dict) else {}
    begins_on = _date(term.get("from"), f"{where}: term.from", faults)
    if begins_on is None:
        faults.append((f"{where}: term.from", "missing", "the first day of the term"))
    fields = found.get("fields", "all")
    quota = found.get("quota") or {}
    _unknown(quota, frozenset({"per_minute", "per_day"}), f"{where}: quota", faults)
    agreement = Agreement(
        id=str(found["id"]),
        provider=str(found["provider"]),
        consumer=str(found["consumer"]),
        dataset=str(found["dataset"]),
        state=_word(State, found.get("state", "requested"), f"{where}: state", faults) or State.REQUESTED,
        fields=None if fields == "all" else tuple(fields),
        masked=tuple(found.get("masked") or ()),
        row_filter=tuple(_conditions(found.get("row_filter") or [], where, faults)),
        purposes=_purposes(found["purposes"], where, faults),
        operations=frozenset(
            operation for name in found["operations"] if (operation := _word(Operation, name, f"{where}: operations", faults)) is not None
        ),
        legal_basis=str(found["legal_basis"]),
        begins_on=begins_on or date.max,
        ends_on=_date(term.get("to"), f"{where}: term.to", faults),
        quota=Quota(quota.get("per_minute"), quota.get("per_day")),
        officials_required=bool(found.get("officials_required", True)),
        place=str(found.get("place", "")),
        retention=str(found.get("retention", "")),
        endpoints=_endpoints(found.get("endpoints") or [], where, faults),
    )
    if (Operation.CALL in agreement.operations) != bool(agreement.endpoints):
        faults.append((f"{where}: endpoints", "`call` and `endpoints` go together", "such as `GET /persons/*`; `* /**` is everything"))
    return agreement if len(faults) == before else None


def _purposes(found: Any, where: str, faults: list[Fault]) -> dict[str, tuple[str, str]]:
    if not isinstance(found, dict):
        faults.append((f"{where}: purposes", "expected code: {vi: …, en: …}", ""))
        return {}
    return {str(code): (str((words or {}).get("vi", code)), str((words or {}).get("en", code))) for code, words in found.items()}


def _endpoints(found: Any, where: str, faults: list[Fault]) -> tuple[str, ...]:
    read = []
    for n, text in enumerate(found if isinstance(found, list) else [found]):
        try:
            read.append(read_endpoint(str(text)))
        except BadRequest as error:
            faults.append((f"{where}: endpoints[{n}]", error.message, ""))
    return tuple(read)


def _conditions(found: list[Any], where: str, faults: list[Fault]) -> list[RowCondition]:
    conditions = []
    for n, entry in enumerate(found):
        if not isinstance(entry, dict) or set(entry) != {"field", "operator", "value"} or entry["operator"] not in OPERATORS:
            faults.append((f"{where}: row_filter[{n}]", f"expected field, operator ({', '.join(sorted(OPERATORS))}) and value", ""))
        else:
            conditions.append(RowCondition(entry["field"], entry["operator"], entry["value"]))
    return conditions


def _check_contract(agreement: Agreement, contracts: Mapping[str, Contract], where: str, faults: list[Fault]) -> None:
    contract = contracts.get(agreement.dataset)
    if contract is None and agreement.operations == {Operation.CALL}:
        return  # of a service: whether there is one, and whose it is, is asked at each call
    if contract is None:
        faults.append(
            (
                f"{where}: dataset",
                f"there is no contract `{agreement.dataset}`",
                " ".join(get_close_matches(agreement.dataset, contracts, n=1)),
            )
        )
        return
    names = [p.name for p in contract.properties]
    used = {*(agreement.fields or ()), *agreement.masked, *(condition.field for condition in agreement.row_filter)}
    for name in sorted(used - set(names)):
        near = get_close_matches(name, names, n=1)
        faults.append((where, f"`{agreement.dataset}` has no field `{name}`", f"did you mean `{near[0]}`?" if near else ""))
    for name in agreement.masked:
        if name in names and (contract.property_named(name).mask or "last3") not in MASKS:
            faults.append((where, f"`{name}` has no known mask", ""))
    if agreement.provider != contract.agency:
        faults.append((f"{where}: provider", f"the owner of `{contract.id}` is {contract.agency}, found {agreement.provider}", ""))


def _agency(text: Any, place: str, faults: list[Fault]) -> str | None:
    try:
        return Identity.parse(str(text)).agency
    except BadRequest as error:
        faults.append((place, error.message, ""))
        return None


def _unknown(found: dict[str, Any], known: frozenset[str], place: str, faults: list[Fault]) -> None:
    faults.extend((f"{place}: {word}", "not understood", "") for word in sorted(set(found) - known))


def _date(value: Any, place: str, faults: list[Fault]) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        faults.append((place, f"expected a date, found `{value}`", ""))
        return None


def _word(kind: type[Words], value: Any, place: str, faults: list[Fault]) -> Words | None:
    try:
        return kind(value)
    except ValueError:
        faults.append((place, f"expected one of {', '.join(kind)}, found `{value}`", ""))
        return None

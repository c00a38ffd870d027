"""Reads one agreement from its document, the same words in a file, in a request and in the store, and says every fault at once.

Words it does not know are faults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import ip_network
from typing import Any, TypeVar

from lienthong.access.agreement import Agreement, Hours, Network, Operation, Quota, RowCondition, State
from lienthong.access.endpoints import read_endpoint
from lienthong.access.identity import Identity
from lienthong.access.legal import Citation, citations_of
from lienthong.access.mask import MASKS
from lienthong.access.rows import OPERATORS
from lienthong.contracts import Contract
from lienthong.errors import BadRequest

Words = TypeVar("Words", bound=StrEnum)
Fault = tuple[str, str, str]
TEXT_WORDS = ("retention", "users", "content", "processing", "conditions", "commitment", "regulation", "cost", "note")
METHODS = {"online_request": "tra cứu trực tuyến", "online_sync": "đồng bộ trực tuyến", "packaged": "gói dữ liệu trên vật mang tin"}
SECTIONS: dict[str, tuple[str, ...]] = {
    "security": ("transfer", "storage", "access"), "storage": ("during", "after"), "deletion": ("method", "days"),
}  # fmt: skip
AGREEMENT_WORDS = frozenset(
    {
        "id", "provider", "consumer", "dataset", "state", "fields", "masked", "row_filter", "purposes", "operations", "legal_basis",
        "term", "quota", "officials_required", "officials", "place", "hours", "method", "renews", "service", "endpoints", *TEXT_WORDS, *SECTIONS,
    }
)  # fmt: skip
NEEDED = ("id", "provider", "consumer", "dataset", "purposes", "operations", "legal_basis", "term")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_ITEMS = 1_000
LONGEST_TEXT = 4_000
LONGEST_NAME = 200
LARGEST_QUOTA = 1_000_000_000
AGREEMENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-_]{0,99}")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
LIKE: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}


def read_agreement(found: Mapping[str, Any], where: str, faults: list[Fault], state: State | None = None) -> Agreement | None:
    """The agreement of a document, None when it has faults. `state` overrides the document's own word."""
    before = len(faults)
    unknown_words(found, AGREEMENT_WORDS, where, faults)
    if found.get("service") and not found.get("dataset"):  # a service is agreed on as a dataset is, by its id
        found = {"operations": [Operation.CALL.value], "dataset": found["service"], **found}
    for word in NEEDED:
        if not found.get(word):
            faults.append((f"{where}: {word}", "missing", ""))
    if _control_characters(found):
        faults.append((where, "control characters stand in it", ""))
    if len(faults) > before:
        return None
    for word in ("id", "provider", "consumer", "dataset", "renews"):
        value = found.get(word, "")
        if isinstance(value, dict | list) or len(str(value)) > LONGEST_NAME:
            faults.append((f"{where}: {word}", f"expected text of at most {LONGEST_NAME} letters", ""))
    if not AGREEMENT_ID.fullmatch(str(found["id"])):
        faults.append((f"{where}: id", "expected letters, digits, `.`, `-`, `_`, at most 100", ""))
    agency_of(found["consumer"], f"{where}: consumer", faults)
    begins_on, ends_on = _term(found["term"], where, faults)
    fields = found.get("fields", "all")
    legal_basis, citations = _legal_basis(found["legal_basis"], where, faults)
    place, networks = _place(found.get("place", ""), where, faults)
    _texts(found, where, faults)
    agreement = Agreement(
        id=str(found["id"]),
        provider=str(found["provider"]),
        consumer=str(found["consumer"]),
        dataset=str(found["dataset"]),
        state=state or word_of(State, found.get("state", "requested"), f"{where}: state", faults) or State.REQUESTED,
        fields=None if fields == "all" else _names(fields, f"{where}: fields", faults),
        masked=_names(found.get("masked") or [], f"{where}: masked", faults),
        row_filter=_conditions(found.get("row_filter") or [], where, faults),
        purposes=_purposes(found["purposes"], where, faults),
        operations=frozenset(
            operation
            for name in _names(found["operations"], f"{where}: operations", faults)
            if (operation := word_of(Operation, name, f"{where}: operations", faults)) is not None
        ),
        legal_basis=legal_basis,
        begins_on=begins_on,
        ends_on=ends_on,
        quota=_quota(found.get("quota") or {}, where, faults),
        officials_required=_claim(found.get("officials_required", True), f"{where}: officials_required", faults),
        place=place,
        retention=str(found.get("retention", "")),
        endpoints=_endpoints(found.get("endpoints") or [], where, faults),
        officials=frozenset(_names(found.get("officials") or [], f"{where}: officials", faults)),
        networks=networks,
        hours=_hours(found.get("hours"), where, faults),
        citations=citations,
        document=document_of(found),
    )
    if (Operation.CALL in agreement.operations) != bool(agreement.endpoints):
        faults.append((f"{where}: endpoints", "`call` and `endpoints` go together", "such as `GET /persons/*`; `* /**` is everything"))
    return agreement if len(faults) == before else None


def check_contract(agreement: Agreement, contracts: Mapping[str, Contract], where: str, faults: list[Fault]) -> None:
    """Whether the dataset, its owner and every field it names are as the contract says."""
    contract = contracts.get(agreement.dataset)
    if contract is None and agreement.operations == {Operation.CALL}:
        return  # of a service: whether there is one, and whose it is, is asked at each call
    if contract is None:
        near = " ".join(get_close_matches(agreement.dataset, contracts, n=1))
        faults.append((f"{where}: dataset", f"there is no contract `{agreement.dataset}`", near))
        return
    names = [p.name for p in contract.properties]
    used = {*(agreement.fields or ()), *agreement.masked, *(condition.field for condition in agreement.row_filter)}
    for name in sorted(used - set(names)):
        near = " ".join(get_close_matches(name, names, n=1))
        faults.append((where, f"`{agreement.dataset}` has no field `{name}`", f"did you mean `{near}`?" if near else ""))
    for name in agreement.masked:
        if name in names and (contract.property_named(name).mask or "last3") not in MASKS:
            faults.append((where, f"`{name}` has no known mask", ""))
    for condition in agreement.row_filter:
        if condition.field in names and not _fits(condition, contract.property_named(condition.field).logical_type):
            faults.append((f"{where}: row_filter", f"`{condition.field}`: the value is not of its type", ""))
    if agreement.provider != contract.agency:
        faults.append((f"{where}: provider", f"the owner of `{contract.id}` is {contract.agency}, found {agreement.provider}", ""))


def document_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """The document as JSON can keep it, without its state: that is the store's to say."""
    return {str(word): _plain(value) for word, value in found.items() if word != "state"}


def agency_of(text: Any, place: str, faults: list[Fault]) -> str | None:
    """The agency code in a subsystem's identifier."""
    try:
        return Identity.parse(str(text)).agency
    except BadRequest as error:
        faults.append((place, error.message, ""))
        return None


def unknown_words(found: Mapping[str, Any], known: frozenset[str], place: str, faults: list[Fault]) -> None:
    for word in sorted(str(word) for word in set(found) - known):
        near = get_close_matches(word, known, n=1)
        faults.append((f"{place}: {word[:LONGEST_NAME]}", "not understood", f"did you mean `{near[0]}`?" if near else ""))


def day_of(value: Any, place: str, faults: list[Fault]) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        faults.append((place, f"expected a date, found `{str(value)[:LONGEST_NAME]}`", ""))
        return None


def word_of(kind: type[Words], value: Any, place: str, faults: list[Fault]) -> Words | None:
    try:
        return kind(value)
    except (ValueError, TypeError):
        faults.append((place, f"expected one of {', '.join(kind)}, found `{str(value)[:LONGEST_NAME]}`", ""))
        return None


def _term(found: Any, where: str, faults: list[Fault]) -> tuple[date, date | None]:
    term = found if isinstance(found, dict) else {}
    unknown_words(term, frozenset({"from", "to"}), f"{where}: term", faults)
    begins_on, ends_on = day_of(term.get("from"), f"{where}: term.from", faults), day_of(term.get("to"), f"{where}: term.to", faults)
    if begins_on is None:
        faults.append((f"{where}: term.from", "missing", "the first day of the term"))
    elif ends_on is not None and ends_on < begins_on:
        faults.append((f"{where}: term.to", "the term ends before it begins", ""))
    return begins_on or date.max, ends_on


def _legal_basis(found: Any, where: str, faults: list[Fault]) -> tuple[str, tuple[Citation, ...]]:
    """The words, and each text cited. A plain text is read for the numbers it names."""
    if isinstance(found, str):
        return found[:LONGEST_TEXT], citations_of(found)
    if not isinstance(found, list) or len(found) > MOST_ITEMS or not all(isinstance(each, dict) for each in found):
        faults.append((f"{where}: legal_basis", "expected text, or a list of {instrument, article, text, valid_from, valid_to}", ""))
        return "", ()
    citations = []
    for n, each in enumerate(found):
        place = f"{where}: legal_basis[{n}]"
        unknown_words(each, frozenset({"instrument", "article", "text", "valid_from", "valid_to"}), place, faults)
        read = citations_of(str(each.get("instrument") or each.get("text") or ""))
        number = read[0].number if read else str(each.get("instrument") or "")
        if not number and not each.get("text"):
            faults.append((place, "expected `instrument`, such as 278/2025/NĐ-CP", ""))
        article = str(each.get("article") or (read[0].article if read else ""))
        valid_from, valid_to = (day_of(each.get(word), f"{place}.{word}", faults) for word in ("valid_from", "valid_to"))
        citations.append(Citation(number, article, str(each.get("text") or ""), valid_from, valid_to))
    return "; ".join(str(citation) for citation in citations)[:LONGEST_TEXT], tuple(citations)


def _place(found: Any, where: str, faults: list[Fault]) -> tuple[str, tuple[Network, ...]]:
    if isinstance(found, str):
        return found, ()
    if not isinstance(found, dict):
        faults.append((f"{where}: place", "expected text, or {text, networks}", ""))
        return "", ()
    unknown_words(found, frozenset({"text", "networks"}), f"{where}: place", faults)
    networks: list[Network] = []
    for name in _names(found.get("networks") or [], f"{where}: place.networks", faults):
        try:
            networks.append(ip_network(name))
        except ValueError:
            faults.append((f"{where}: place.networks", f"expected a network such as 10.12.0.0/16, found `{name}`", ""))
    return str(found.get("text", "")), tuple(networks)


def _hours(found: Any, where: str, faults: list[Fault]) -> Hours | None:
    if found is None:
        return None
    place = f"{where}: hours"
    if not isinstance(found, dict):
        faults.append((place, "expected {days, from, to}", ""))
        return None
    unknown_words(found, frozenset({"days", "from", "to"}), place, faults)
    begins = _minute(found.get("from", 0), place, faults)
    ends = time.max if "to" not in found else _minute(found["to"], place, faults)
    named = found.get("days", "working")
    days = None if named == "working" else _names(named, f"{place}.days", faults)
    if days is not None and (not days or set(days) - set(WEEKDAYS)):
        faults.append((f"{place}.days", f"expected `working` or some of {', '.join(WEEKDAYS)}", ""))
        return None
    if begins is None or ends is None:
        return None
    if ends <= begins:
        faults.append((place, "the hours end before they begin", ""))
    return Hours(None if days is None else frozenset(WEEKDAYS.index(day) for day in days), begins, ends)


def _minute(value: Any, place: str, faults: list[Fault]) -> time | None:
    """A time of day. YAML 1.1 reads 07:30 without quotes as the number 450."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return time(value // 60, value % 60)
    try:
        found = time.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        faults.append((place, f"expected a time such as 07:30, found `{str(value)[:LONGEST_NAME]}`", ""))
        return None
    return found


def _quota(found: Any, where: str, faults: list[Fault]) -> Quota:
    if not isinstance(found, dict):
        faults.append((f"{where}: quota", "expected {per_minute, per_day, deliveries}", ""))
        return Quota()
    unknown_words(found, frozenset({"per_minute", "per_day", "deliveries"}), f"{where}: quota", faults)
    limits = []
    for word in ("per_minute", "per_day"):
        limit = found.get(word)
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or not 0 < limit <= LARGEST_QUOTA):
            faults.append((f"{where}: quota.{word}", "expected a whole number above 0", ""))
            limit = None
        limits.append(limit)
    deliveries = found.get("deliveries", False)
    if not isinstance(deliveries, bool):
        faults.append((f"{where}: quota.deliveries", "expected true or false", ""))
    return Quota(limits[0], limits[1], deliveries is True)


def _purposes(found: Any, where: str, faults: list[Fault]) -> dict[str, tuple[str, str]]:
    place = f"{where}: purposes"
    if not isinstance(found, dict) or len(found) > MOST_ITEMS:
        faults.append((place, "expected code: {vi: …, en: …}", ""))
        return {}
    purposes = {}
    for code, words in found.items():
        said = words if isinstance(words, dict) else {}
        if (words is not None and not isinstance(words, dict)) or not 0 < len(str(code)) <= LONGEST_NAME:
            faults.append((place, f"`{str(code)[:LONGEST_NAME]}`: expected {{vi: …, en: …}}", ""))
        purposes[str(code)] = (str(said.get("vi", code)), str(said.get("en", code)))
    return purposes


def _endpoints(found: Any, where: str, faults: list[Fault]) -> tuple[str, ...]:
    read = []
    for n, text in enumerate(found if isinstance(found, list) else [found]):
        try:
            read.append(read_endpoint(str(text)))
        except BadRequest as error:
            faults.append((f"{where}: endpoints[{n}]", error.message, ""))
    return tuple(read)


def _conditions(found: Any, where: str, faults: list[Fault]) -> tuple[RowCondition, ...]:
    if not isinstance(found, list) or len(found) > MOST_ITEMS:
        faults.append((f"{where}: row_filter", "expected a list", ""))
        return ()
    conditions = []
    for n, entry in enumerate(found):
        is_whole = isinstance(entry, dict) and set(entry) == {"field", "operator", "value"} and isinstance(entry["field"], str)
        if not is_whole or not isinstance(entry["operator"], str) or entry["operator"] not in OPERATORS:
            faults.append((f"{where}: row_filter[{n}]", f"expected field, operator ({', '.join(sorted(OPERATORS))}) and value", ""))
            continue
        value, many = _plain(entry["value"]), entry["operator"] == "in"
        values = value if isinstance(value, list) else [value]
        if many is not isinstance(value, list) or len(values) > MOST_ITEMS or any(isinstance(v, dict | list) or v is None for v in values):
            faults.append((f"{where}: row_filter[{n}]", "expected a list of values for `in`, one value for the others", ""))
            continue
        conditions.append(RowCondition(entry["field"], entry["operator"], value))
    return tuple(conditions)


def _fits(condition: RowCondition, logical_type: str) -> bool:
    values = condition.value if isinstance(condition.value, list) else [condition.value]
    if condition.operator == "starts_with" and logical_type != "string":
        return False
    return all(_is_like(value, logical_type) for value in values)


def _is_like(value: Any, logical_type: str) -> bool:
    if logical_type in LIKE:
        return isinstance(value, LIKE[logical_type]) and (logical_type == "boolean" or not isinstance(value, bool))
    try:
        (date if logical_type == "date" else datetime).fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


def _names(found: Any, place: str, faults: list[Fault]) -> tuple[str, ...]:
    if (
        not isinstance(found, list | tuple)
        or len(found) > MOST_ITEMS
        or any(isinstance(name, dict | list) or not 0 < len(str(name)) <= LONGEST_NAME for name in found)
    ):
        faults.append((place, "expected a list of names", ""))
        return ()
    return tuple(str(name) for name in found)


def _texts(found: Mapping[str, Any], where: str, faults: list[Fault]) -> None:
    """The parts in plain words: text where text belongs, sections with their own parts."""
    for word in TEXT_WORDS:
        if word in found and (not isinstance(found[word], str) or len(found[word]) > LONGEST_TEXT):
            faults.append((f"{where}: {word}", f"expected text of at most {LONGEST_TEXT:,} letters", ""))
    method = found.get("method", "online_request")
    if not isinstance(method, str) or method not in METHODS:
        faults.append((f"{where}: method", f"expected one of {', '.join(METHODS)}", ""))
    for word, parts in SECTIONS.items():
        section = found.get(word, {})
        if not isinstance(section, dict):
            faults.append((f"{where}: {word}", f"expected {{{', '.join(parts)}}}", ""))
            continue
        unknown_words(section, frozenset(parts), f"{where}: {word}", faults)
        for part, value in section.items():
            wanted: type = int if part == "days" else str
            if not isinstance(value, wanted) or isinstance(value, bool) or (isinstance(value, str) and len(value) > LONGEST_TEXT):
                faults.append((f"{where}: {word}.{part}", "expected a number of days" if part == "days" else "expected text", ""))


def _claim(value: Any, place: str, faults: list[Fault]) -> bool:
    if not isinstance(value, bool):
        faults.append((place, "expected true or false", ""))
        return True
    return value


def _plain(value: Any) -> Any:
    """As JSON has it: dates in ISO's letters, keys as text."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _control_characters(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_control_characters(key) or _control_characters(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return any(_control_characters(each) for each in value)
    return isinstance(value, str) and CONTROL.search(value) is not None

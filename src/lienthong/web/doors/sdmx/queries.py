"""What an SDMX address asks: structures or data. Nothing is guessed: what is not of the standard is 400, what we do not have 501."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from lienthong.errors import BadRequest, NotOffered, Unprocessable
from lienthong.sharing.filters import read_instant, shown
from lienthong.web.doors.sdmx.flows import Flow, value_of
from lienthong.web.doors.sdmx.periods import read_period

KINDS = ("dataflow", "datastructure", "codelist", "conceptscheme", "agencyscheme", "dataproviderscheme")
OTHERS = (
    "metadatastructure", "categoryscheme", "hierarchicalcodelist", "organisationscheme", "dataconsumerscheme",
    "organisationunitscheme", "provisionagreement", "structureset", "process", "categorisation", "contentconstraint", "actualconstraint",
    "allowedconstraint", "attachmentconstraint", "metadataflow", "reportingtaxonomy", "transformationscheme", "rulesetscheme",
    "userdefinedoperatorscheme", "customtypescheme", "namepersonalisationscheme", "vtlmappingscheme", "namealiasscheme",
)  # fmt: skip
REFERENCES = ("none", "parents", "parentsandsiblings", "children", "descendants", "all")
STRUCTURE_DETAILS = ("full", "allstubs", "referencestubs", "allcompletestubs", "referencecompletestubs")
DATA_DETAILS = ("full", "dataonly", "serieskeysonly", "nodata")
ALL_DIMENSIONS = "AllDimensions"
MOST_KEYS = 500  # values in one key
LARGEST_N = 1_000_000
_ID = re.compile(r"[A-Za-z0-9_@$\-]+(?:\+[A-Za-z0-9_@$\-]+)*")
_AGENCY = re.compile(r"[A-Za-z][\w.\-]*(?:\+[A-Za-z][\w.\-]*)*", re.ASCII)
_VERSION = re.compile(r"latest|all|\d+(?:\.\d+)*(?:\+\d+(?:\.\d+)*)*")


@dataclass(frozen=True)
class StructureQuery:
    """`agencies`, `ids` and `versions` empty: all."""

    kind: str
    agencies: tuple[str, ...]
    ids: tuple[str, ...]
    versions: tuple[str, ...]
    references: str
    detail: str

    @property
    def stubs(self) -> str:
        """Of which artefacts only stubs are told: `all`, `reference` (those referred to), or none."""
        return next((of for of in ("all", "reference") if self.detail in (f"{of}stubs", f"{of}completestubs")), "")


@dataclass(frozen=True)
class DataQuery:
    """`key`: for each dimension the values wanted, none: any."""

    key: tuple[tuple[str, ...], ...]
    start: date | None
    end: date | None
    updated_after: datetime | None
    first: int | None
    last: int | None
    at_observation: str | None
    detail: str


def read_structure_query(kind: str, path: Sequence[str], parameters: Mapping[str, str]) -> StructureQuery:
    """A structure query after its kind: agency, id, version, each with its default."""
    if len(path) > 3:
        raise NotOffered("This service does not answer queries for single items.", vi="Dịch vụ không trả lời truy vấn từng mục.")
    agency, ids, version = [*path, *("all", "all", "latest")[len(path) :]]
    for name, text, pattern in (("agencyID", agency, _AGENCY), ("resourceID", ids, _ID), ("version", version, _VERSION)):
        if not pattern.fullmatch(text) or len(text) > 500:
            raise BadRequest(f"`{name}`: `{shown(text)}` is no such thing.", vi=f"`{name}`: `{shown(text)}` không hợp lệ.")
    references = parameters.get("references", "none")
    if references not in (*REFERENCES, *KINDS):
        if references in OTHERS:
            raise NotOffered(f"There is no `{references}` here.", vi=f"Không có `{references}`.")
        raise _not_one_of("references", references, REFERENCES)
    detail = parameters.get("detail", "full")
    if detail == "referencepartial":
        raise NotOffered("referencepartial is not offered.", vi="Không có referencepartial.")
    if detail not in STRUCTURE_DETAILS:
        raise _not_one_of("detail", detail, STRUCTURE_DETAILS)
    return StructureQuery(
        kind,
        () if agency == "all" else tuple(agency.split("+")),
        () if ids == "all" else tuple(ids.split("+")),
        () if version in ("all", "latest") else tuple(version.split("+")),
        references,
        detail,
    )


def read_flow_name(text: str) -> tuple[str, str, str]:
    """(agency, id, version) of `ID`, `AGENCY,ID` or `AGENCY,ID,VERSION`; empty where it is not said."""
    parts = text.split(",")
    if not 1 <= len(parts) <= 3:
        raise BadRequest(f"`{shown(text)}` names no dataflow.", vi=f"`{shown(text)}` không phải tên dataflow.")
    agency, name, version = ("", parts[0], "") if len(parts) == 1 else (parts[0], parts[1], parts[2] if len(parts) == 3 else "")
    if not _ID.fullmatch(name) or (agency and not _AGENCY.fullmatch(agency)) or (version and not _VERSION.fullmatch(version)):
        raise BadRequest(f"`{shown(text)}` names no dataflow.", vi=f"`{shown(text)}` không phải tên dataflow.")
    return "" if agency == "all" else agency, name, "" if version in ("latest", "all") else version


def read_data_query(flow: Flow, key: str, parameters: Mapping[str, str]) -> DataQuery:
    """What is asked of a flow. Raises BadRequest for bad syntax, Unprocessable for what makes no sense of this flow."""
    start = read_period("startPeriod", parameters["startPeriod"])[0] if "startPeriod" in parameters else None
    end = read_period("endPeriod", parameters["endPeriod"])[1] if "endPeriod" in parameters else None
    if start is not None and end is not None and start > end:
        raise _senseless("startPeriod is after endPeriod.", "startPeriod sau endPeriod.")
    if (start or end) and flow.time is None:
        raise _senseless("This flow has no time.", "Bộ dữ liệu này không có thời gian.")
    detail = parameters.get("detail", "full")
    if detail not in DATA_DETAILS:
        raise _not_one_of("detail", detail, DATA_DETAILS)
    if parameters.get("includeHistory", "false") != "false":
        raise NotOffered(
            "includeHistory is not offered.",
            hint="The JSON API has as_of and known_at.",
            hint_vi="API JSON có as_of và known_at.",
            vi="Không có includeHistory.",
        )
    known = [component.id for component in flow.keys]
    at_observation = parameters.get("dimensionAtObservation")
    if at_observation is not None and at_observation not in (*known, ALL_DIMENSIONS):
        raise _senseless(
            f"dimensionAtObservation: expected one of {', '.join((*known, ALL_DIMENSIONS))}, found `{shown(at_observation)}`.",
            f"dimensionAtObservation: không có chiều `{shown(at_observation)}`.",
        )
    updated_after = read_instant("updatedAfter", parameters["updatedAfter"]) if "updatedAfter" in parameters else None
    return DataQuery(
        _read_key(flow, key),
        start,
        end,
        updated_after,
        _count("firstNObservations", parameters),
        _count("lastNObservations", parameters),
        at_observation,
        detail,
    )


def _read_key(flow: Flow, text: str) -> tuple[tuple[str, ...], ...]:
    """`A+B..C`: values of each dimension in order, none: any."""
    if text in ("", "all"):
        return ((),) * len(flow.dimensions)
    parts = text.split(".")
    if len(parts) != len(flow.dimensions):
        named = ".".join(component.id for component in flow.dimensions)
        raise _senseless(
            f"The key has {len(parts)} parts, this flow's has {len(flow.dimensions)}: {named}.",
            f"Khóa cần {len(flow.dimensions)} phần: {named}.",
        )
    key = []
    for part in parts:
        if part and not _ID.fullmatch(part):
            raise BadRequest(f"`{shown(part)}` is no part of a key.", vi=f"`{shown(part)}` không phải phần của khóa.")
        key.append(tuple(value_of(code) for code in part.split("+")) if part else ())
    if sum(map(len, key)) > MOST_KEYS:
        raise BadRequest(f"A key has at most {MOST_KEYS} values.", vi=f"Khóa có nhiều nhất {MOST_KEYS} giá trị.")
    return tuple(key)


def _count(name: str, parameters: Mapping[str, str]) -> int | None:
    text = parameters.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= LARGEST_N):
        raise BadRequest(f"`{name}`: expected 1 to {LARGEST_N}, found `{shown(text)}`.", vi=f"`{name}`: từ 1 đến {LARGEST_N}.")
    return int(text)


def _not_one_of(name: str, found: str, known: Sequence[str]) -> BadRequest:
    return BadRequest(f"`{name}`: expected one of {', '.join(known)}, found `{shown(found)}`.", vi=f"`{name}`: không có `{shown(found)}`.")


def _senseless(en: str, vi: str) -> Unprocessable:
    return Unprocessable(en, vi=vi)

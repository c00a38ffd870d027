"""From a contract's document to a `Contract`, or every fault at once, each with its place and the nearest right word."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

from lienthong.contracts import match_reading
from lienthong.contracts.faults import Fault, Faults, nearest
from lienthong.contracts.indicators.periods import PeriodType
from lienthong.contracts.licences import LICENCES
from lienthong.contracts.literal_secrets import literal_secrets
from lienthong.contracts.mapping import Node, read_mapping
from lienthong.contracts.mapping.reading import MappingFault
from lienthong.contracts.model import (
    Closing,
    Contract,
    Delivery,
    Disclosure,
    Expect,
    Layer,
    LegalBasis,
    Place,
    Property,
    Schedule,
    Sensitivity,
    Sharing,
    Source,
)
from lienthong.contracts.reading import faults_of_schema, read_document
from lienthong.contracts.rule_reading import rules_of_quality, rules_of_type
from lienthong.contracts.vocabulary import (
    CLOSING_WORDS,
    CONTRACT_WORDS,
    DISCLOSURE_WORDS,
    EXPECT_WORDS,
    LEGAL_WORDS,
    LOGICAL_TYPES,
    MASKS,
    PLACE_WORDS,
    PROPERTY_WORDS,
    SCHEDULE_WORDS,
    SOURCE_WORDS,
    STATISTICS,
)
from lienthong.contracts.whole import check_between, check_whole
from lienthong.errors import ContractError
from lienthong.standards import STANDARDS

_ID = re.compile(r"[a-z][a-z0-9-]*\.[a-z][a-z0-9-]*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
EVERY = {"hour": 1, "day": 1, "working_day": 1, "week": 7, "month": 31}  # most that `day` may be
SHIFTS = ("after", "before", "none")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_AGENCY = re.compile(r"[A-Z][A-Z0-9]*(\.[A-Z0-9]+)*")
DELIVERY = "delivery"
MOST_DELAY_DAYS = 3_653  # ten years
_STATE_SECRET = frozenset({"state_secret", "secret", "top_secret", "mật", "tối mật", "tuyệt mật"})


def load(path: Path, connectors: Collection[str] | None = None) -> Contract:
    """The contract of a file. `connectors`: the names there are; None leaves them unchecked.

    Raises ContractError with every fault when it has any; the old version then stays in force.
    """
    return build(read_document(path), str(path), connectors)


def load_all(folder: Path, connectors: Collection[str] | None = None) -> dict[str, Contract]:
    """Every `contract.yaml` below a folder, by dataset id, in order of id. Raises ContractError naming all faults of all files."""
    found: dict[str, Contract] = {}
    faults: list[Fault] = []
    for path in sorted(folder.rglob("contract.yaml")):
        try:
            contract = load(path, connectors)
        except ContractError as error:
            faults += [(f"{path}: {place}", what, suggestion) for place, what, suggestion in error.faults] or [
                (str(path), error.message, "")
            ]
            continue
        if contract.id in found:
            faults.append((str(path), f"`{contract.id}` is the id of another contract too", "give each dataset its own id"))
        found[contract.id] = contract
    if not faults:
        faults = check_between(found)
    if faults:
        raise ContractError(f"{len(faults)} faults in the contracts of `{folder}`.", faults=tuple(faults))
    return dict(sorted(found.items()))


def build(document: dict[str, Any], where: str, connectors: Collection[str] | None = None) -> Contract:
    """The contract a document describes. Raises ContractError with all faults."""
    faults = Faults()
    contract = _contract(document, connectors, faults)
    told = {place for place, _, _ in faults.found}  # in our words, with the nearest right one: once is enough
    all_faults = (*faults.found, *(fault for fault in faults_of_schema(document) if fault[0] not in told))
    if all_faults or contract is None:
        raise ContractError(f"`{where}` has {len(all_faults)} fault{'s' if len(all_faults) != 1 else ''}.", faults=all_faults)
    return replace(contract, digest=digest(contract))


def digest(contract: Contract) -> str:
    """Hex SHA-256 over what can change a row: the columns and how they are cleaned, the rules, the key, how sources are read."""
    parts = {
        "properties": [
            [
                *(p.name, p.logical_type, p.required, p.unique, p.key_position, p.standard, p.standard_options, p.source_names, p.as_of),
                *([repr(p.mapping)] if p.mapping is not None else []),
            ]
            for p in contract.properties
        ],
        "rules": [[r.id, r.kind, r.columns, r.parameters, r.severity] for r in contract.all_rules],
        "valid_from": contract.valid_from,
        "sources": [[s.name, s.connector, s.delivery, s.options] for s in contract.sources],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


def _contract(document: dict[str, Any], connectors: Collection[str] | None, faults: Faults) -> Contract | None:
    words = faults.custom(document, CONTRACT_WORDS, "")
    _check_words(document, words, faults)
    tables = document.get("schema")
    if not isinstance(tables, list) or len(tables) != 1 or not isinstance(tables[0], dict):
        faults.add("schema", "expected exactly one table", "a dataset is one table; describe another in a contract of its own")
        return None
    properties = _properties(tables[0].get("properties"), faults)
    names = [p.name for p in properties]
    contract = Contract(
        id=str(document.get("id", "")),
        version=str(document.get("version", "")),
        status=faults.text(document.get("status"), "status"),
        title_vi=faults.text(document.get("name"), "name") or str(document.get("id", "")),
        title_en=faults.text(words.get("titleEn"), "customProperties.titleEn"),
        description_vi=_purpose(document.get("description")),
        description_en=faults.text(words.get("descriptionEn"), "customProperties.descriptionEn"),
        agency=faults.text(words.get("agency"), "customProperties.agency"),
        domain=faults.text(document.get("domain"), "domain"),
        properties=tuple(properties),
        rules=tuple(rules_of_quality(tables[0].get("quality"), None, names, faults, "schema[0].quality")),
        sources=tuple(_sources(words.get("sources"), connectors, faults)),
        entity=faults.text(words.get("entity"), "customProperties.entity") or None,
        layer=faults.one_of(Layer, words.get("layer"), "customProperties.layer", Layer.SOURCE),
        sharing=faults.one_of(Sharing, words.get("sharing"), "customProperties.sharing", Sharing.ON_REQUEST),
        legal_basis=tuple(_legal_basis(words.get("legalBasis"), faults)),
        valid_from=faults.text(words.get("validFrom"), "customProperties.validFrom") or None,
        expect=_expect(words.get("expect"), faults),
        schedule=_schedule(words.get("schedule"), faults),
        closing=_closing(words.get("closing"), properties, faults),
        disclosure=_disclosure(words.get("disclosure"), faults),
        place=_place(words.get("place"), properties, faults),
        match=match_reading.roles(words.get("match"), names, faults),
        licence=_licence(words.get("licence"), faults),
        document=document,
    )
    check_whole(contract, faults)
    return contract


def _check_words(document: Mapping[str, Any], words: Mapping[str, Any], faults: Faults) -> None:
    for place, value, shape, example in (
        ("id", document.get("id"), _ID, "population.persons"),
        ("version", document.get("version"), _VERSION, "1.0.0"),
        ("customProperties.agency", words.get("agency"), _AGENCY, "H10.12"),
    ):
        if not isinstance(value, str) or not shape.fullmatch(value):
            faults.add(place, f"expected a form like `{example}`, found `{value}`")
    listed = words.get("catalogueEntry", "public")
    if listed not in ("public", "restricted"):
        faults.add("customProperties.catalogueEntry", f"expected public or restricted, found `{listed}`", "such as `restricted`")
    if not words.get("titleEn"):
        faults.add("customProperties.titleEn", "missing", "a title in English")


def _properties(found: Any, faults: Faults) -> list[Property]:
    entries = [entry for entry in faults.entries(found, "schema[0].properties") if isinstance(entry, dict)]
    if not entries:
        faults.add("schema[0].properties", "expected at least one property")
    names = [str(entry.get("name")) for entry in entries]
    for name in sorted({name for name in names if names.count(name) > 1}):
        faults.add("schema[0].properties", f"`{name}` stands more than once")
    return [_property(entry, names, faults, f"schema[0].properties[{n}]") for n, entry in enumerate(entries)]


def _property(found: Mapping[str, Any], names: Sequence[str], faults: Faults, place: str) -> Property:
    words = faults.custom(found, PROPERTY_WORDS, f"{place}.")
    name = str(found.get("name"))
    if not _NAME.fullmatch(name):
        faults.add(
            f"{place}.name", f"expected small letters, digits and `_`, a letter first, at most 50, found `{name}`", "such as `born_on`"
        )
    kind = found.get("logicalType")
    if kind not in LOGICAL_TYPES:
        faults.add(f"{place}.logicalType", f"expected one of {', '.join(LOGICAL_TYPES)}, found `{kind}`", nearest(kind, LOGICAL_TYPES))
    options = faults.mapping(words.get("standardOptions"), f"{place}.standardOptions")
    as_of, mask, position = words.get("asOf"), words.get("mask"), found.get("primaryKeyPosition", 1)
    trusted = words.get("authoritative")
    if as_of is not None and as_of != DELIVERY and as_of not in names:
        faults.add(f"{place}.asOf", f"`{as_of}` is no property", nearest(as_of, (*names, DELIVERY)))
    if mask is not None and mask not in MASKS:
        faults.add(f"{place}.mask", f"expected one of {', '.join(MASKS)}, found `{mask}`", nearest(mask, MASKS))
    statistic = words.get("statistic")
    if statistic is not None and statistic not in STATISTICS:
        faults.add(f"{place}.statistic", f"expected one of {', '.join(STATISTICS)}, found `{statistic}`", nearest(statistic, STATISTICS))
    type_options = faults.mapping(found.get("logicalTypeOptions"), f"{place}.logicalTypeOptions")
    return Property(
        name=name,
        logical_type=str(kind),
        title_vi=faults.text(found.get("businessName"), f"{place}.businessName") or name,
        title_en=faults.text(words.get("titleEn"), f"{place}.titleEn") or name.replace("_", " "),
        description=faults.text(found.get("description"), f"{place}.description"),
        required=faults.flag(found.get("required"), f"{place}.required"),
        unique=faults.flag(found.get("unique"), f"{place}.unique"),
        key_position=(position if isinstance(position, int) else 0)
        if faults.flag(found.get("primaryKey"), f"{place}.primaryKey")
        else None,
        standard=_standard(words.get("standard"), options, faults, place),
        standard_options=options,
        source_names=faults.texts(words.get("source"), f"{place}.source"),
        sensitivity=_sensitivity(found.get("classification"), faults, f"{place}.classification"),
        authoritative=not isinstance(trusted, str) and faults.flag(trusted, f"{place}.authoritative"),
        authority=_authority(trusted, faults, f"{place}.authoritative"),
        as_of=None if as_of is None else str(as_of),
        mask=None if mask is None else str(mask),
        statistic=None if statistic is None else str(statistic),
        quasi_identifier=faults.flag(words.get("quasiIdentifier"), f"{place}.quasiIdentifier"),
        confidential=faults.flag(words.get("confidential"), f"{place}.confidential"),
        counts=_counted(words.get("counts"), str(kind), faults, f"{place}.counts"),
        match=match_reading.match_spec(words.get("match"), faults, place),
        survivorship=match_reading.survivorship(words.get("survivorship"), faults, place),
        mapping=_mapping(words.get("mapping"), faults, f"{place}.mapping"),
        examples=tuple(str(example) for example in faults.entries(found.get("examples"), f"{place}.examples")),
        rules=(
            *rules_of_type(type_options, name, faults, f"{place}.logicalTypeOptions"),
            *rules_of_quality(found.get("quality"), name, names, faults, f"{place}.quality"),
        ),
    )


def _sensitivity(value: Any, faults: Faults, place: str) -> Sensitivity:
    if str(value).strip().casefold() in _STATE_SECRET:
        faults.add(place, "a state secret", "state secrets stay out of the platform: take the property out (Decree 278/2025)")
        return Sensitivity.INTERNAL
    return faults.one_of(Sensitivity, value, place, Sensitivity.INTERNAL)


def _authority(trusted: Any, faults: Faults, place: str) -> str | None:
    """The agency a text names as the trusted source of a value."""
    if not isinstance(trusted, str):
        return None
    if not _AGENCY.fullmatch(trusted):
        faults.add(place, f"expected true, false or the code of an agency, found `{trusted}`", "such as `H10.02`")
        return None
    return trusted


def _standard(name: Any, options: Mapping[str, Any], faults: Faults, place: str) -> str | None:
    if name is None:
        if options:
            faults.add(f"{place}.standardOptions", "options of no standard", "name the `standard`")
        return None
    found = STANDARDS.get(str(name))
    if found is None:
        faults.add(f"{place}.standard", f"there is no standard `{name}`", nearest(name, STANDARDS))
        return None
    try:
        found.clean(None, options)
    except ValueError as error:
        faults.add(f"{place}.standardOptions", str(error))
    except (TypeError, AttributeError):
        faults.add(f"{place}.standardOptions", f"values of a wrong kind for `{name}`", "see docs/reference/standards.md")
    return str(name)


def _mapping(found: Any, faults: Faults, place: str) -> Node | None:
    text = faults.text(found, place)
    if found is None or not isinstance(found, str):
        return None
    try:
        return read_mapping(text)
    except MappingFault as fault:
        faults.add(place, str(fault), fault.suggestion or "see docs/reference/mapping.md")
        return None


def _sources(found: Any, connectors: Collection[str] | None, faults: Faults) -> list[Source]:
    sources: list[Source] = []
    for n, entry in enumerate(faults.entries(found, "customProperties.sources")):
        place = f"customProperties.sources[{n}]"
        said = faults.mapping(entry, place)
        faults.known(said, SOURCE_WORDS, place)
        name, connector, location = (faults.text(said.get(word), f"{place}.{word}") for word in ("name", "connector", "location"))
        for word, value in (("name", name), ("connector", connector), ("location", location)):
            if not value:
                faults.add(f"{place}.{word}", "missing")
        if connectors is not None and connector and connector not in connectors:
            faults.add(f"{place}.connector", f"there is no connector `{connector}`", nearest(connector, connectors))
        if name in ("api", "correction") or name in {source.name for source in sources}:
            faults.add(f"{place}.name", f"the name `{name}` is taken", "each source has a name of its own")
        delivery = faults.one_of(Delivery, said.get("delivery"), f"{place}.delivery", Delivery.SNAPSHOT)
        options = faults.mapping(said.get("options"), f"{place}.options")
        for where in literal_secrets(location, options):
            faults.add(
                f"{place}.{where}", "a secret stands here itself", "write ${NAME} or secret:file/NAME; the operator keeps what it is"
            )
        sources.append(Source(name, connector, location, delivery, options))
    return sources


def _legal_basis(found: Any, faults: Faults) -> list[LegalBasis]:
    basis = []
    for n, entry in enumerate(faults.entries(found, "customProperties.legalBasis")):
        place = f"customProperties.legalBasis[{n}]"
        said = faults.mapping(entry, place)
        faults.known(said, LEGAL_WORDS, place)
        text = faults.text(said.get("text"), f"{place}.text")
        if not text:
            faults.add(f"{place}.text", "missing", "which law, by its number")
        law = LegalBasis(text, faults.day(said.get("validFrom"), f"{place}.validFrom"), faults.day(said.get("validTo"), f"{place}.validTo"))
        if law.valid_from is not None and law.valid_to is not None and law.valid_to <= law.valid_from:
            faults.add(place, f"ends {law.valid_to}, not after it begins {law.valid_from}")
        basis.append(law)
    return basis


def _expect(found: Any, faults: Faults) -> Expect:
    place = "customProperties.expect"
    said = faults.mapping(found, place)
    faults.known(said, EXPECT_WORDS, place)
    bounds: dict[str, Any] = {}
    for word, value in said.items():
        if word not in EXPECT_WORDS:
            continue
        most = 100 if word.endswith("Percent") else float("inf")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            faults.add(f"{place}.{word}", f"expected a number from 0, percentages to 100, found `{value}`")
        else:
            bounds[EXPECT_WORDS[word][0]] = value
    expect = Expect(**bounds)
    if expect.rows_min is not None and expect.rows_max is not None and expect.rows_min > expect.rows_max:
        faults.add(place, f"rowsMin {expect.rows_min} is more than rowsMax {expect.rows_max}")
    return expect


def _schedule(found: Any, faults: Faults) -> Schedule | None:
    place = "customProperties.schedule"
    if found is None:
        return None
    said = faults.mapping(found, place)
    faults.known(said, SCHEDULE_WORDS, place)
    every, at, day = said.get("every"), str(said.get("at", "06:00")), said.get("day", 1)
    shift, grace = said.get("shift", "after" if every == "month" else "none"), said.get("graceHours", 24)
    if every not in EVERY:
        faults.add(f"{place}.every", f"expected one of {', '.join(EVERY)}, found `{every}`", nearest(str(every), EVERY))
    if not _TIME.fullmatch(at):
        faults.add(f"{place}.at", f"expected a time such as `06:30`, found `{at}`", "in quotes")
        at = "06:00"
    if isinstance(day, bool) or not isinstance(day, int) or not 1 <= day <= EVERY.get(str(every), 31):
        faults.add(f"{place}.day", f"expected a day from 1 to {EVERY.get(str(every), 31)}, found `{day}`")
    if shift not in SHIFTS:
        faults.add(f"{place}.shift", f"expected one of {', '.join(SHIFTS)}, found `{shift}`", nearest(str(shift), SHIFTS))
    if isinstance(grace, bool) or not isinstance(grace, int | float) or not 0 < grace <= 2_000:
        faults.add(f"{place}.graceHours", f"expected hours up to 2000, found `{grace}`")
        grace = 24
    return Schedule(str(every), time.fromisoformat(at), day if isinstance(day, int) else 1, str(shift), float(grace))


def _closing(found: Any, properties: Sequence[Property], faults: Faults) -> Closing | None:
    place = "customProperties.closing"
    if found is None:
        return None
    said = faults.mapping(found, place)
    faults.known(said, CLOSING_WORDS, place)
    column, days = str(said.get("column")), said.get("workingDays", 10)
    kinds = {p.name: p.logical_type for p in properties if p.logical_type in ("date", "timestamp", "integer")}
    if column not in kinds:
        faults.add(f"{place}.column", f"`{column}` is no property that dates a row", nearest(column, kinds))
        return None
    if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 250:
        faults.add(f"{place}.workingDays", f"expected a number from 0 to 250, found `{days}`")
        return None
    kind = faults.one_of(PeriodType, said.get("type"), f"{place}.type", PeriodType.YEAR)
    if "type" not in said:
        faults.add(f"{place}.type", "missing", ", ".join(PeriodType))
    if kinds[column] == "integer" and kind is not PeriodType.YEAR:
        faults.add(f"{place}.type", f"`{column}` is a number: its periods are years", "type: year")
    return Closing(column, kind, days)


def _disclosure(found: Any, faults: Faults) -> Disclosure:
    place = "customProperties.disclosure"
    said = faults.mapping(found, place)
    faults.known(said, DISCLOSURE_WORDS, place)
    delayed = faults.mapping(said.get("delayedPurposes"), f"{place}.delayedPurposes")
    for word, days in (("delayDays", said.get("delayDays", 0)), *((f"delayedPurposes.{name}", days) for name, days in delayed.items())):
        if isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= MOST_DELAY_DAYS:
            faults.add(f"{place}.{word}", f"expected days from 0 to {MOST_DELAY_DAYS}, found `{days}`")
            return Disclosure()
    official = said.get("official", "shown")
    if official not in ("shown", "hidden"):
        faults.add(f"{place}.official", f"expected shown or hidden, found `{official}`", nearest(official, ("shown", "hidden")))
    hidden = faults.texts(said.get("hiddenPurposes"), f"{place}.hiddenPurposes")
    basis = faults.text(said.get("legalBasis"), f"{place}.legalBasis")
    if not basis and (hidden or delayed or said.get("delayDays") or official == "hidden"):
        faults.add(f"{place}.legalBasis", "missing", "which law lets a use be hidden or shown later")
    return Disclosure(said.get("delayDays", 0), hidden, {str(name): days for name, days in delayed.items()}, official != "hidden", basis)


def _place(found: Any, properties: Sequence[Property], faults: Faults) -> Place | None:
    """Where a row is. A dataset with one geometry need not say so."""
    kinds = {p.name: "geometry" if p.standard == "geometry" else p.logical_type for p in properties}
    shapes = [name for name, kind in kinds.items() if kind == "geometry"]
    if found is None:
        return Place(geometry=shapes[0]) if len(shapes) == 1 else None
    place = "customProperties.place"
    said = faults.mapping(found, place)
    faults.known(said, PLACE_WORDS, place)
    wanted = {
        "geometry": ("geometry",),
        "longitude": ("number",),
        "latitude": ("number",),
        "unit": ("string",),
        "time": ("date", "timestamp"),
    }
    for word, kind in wanted.items():
        name = said.get(word)
        if name is not None and kinds.get(str(name)) not in kind:
            faults.add(f"{place}.{word}", f"`{name}` is no property of this kind: {', '.join(kind)}", nearest(str(name), kinds))
            return None
    if ("longitude" in said) is not ("latitude" in said) or len({"geometry", "longitude", "unit"} & set(said)) != 1:
        faults.add(place, "expected `geometry`, or `longitude` and `latitude`, or `unit`")
        return None
    return Place(**{word: str(name) for word, name in said.items()})


def _licence(code: Any, faults: Faults) -> str | None:
    if code is None:
        return None
    if code not in LICENCES:
        faults.add("customProperties.licence", f"there is no licence `{code}`", nearest(code, LICENCES))
        return None
    return str(code)


def _counted(said: Any, kind: str, faults: Faults, place: str) -> str | None:
    counted = faults.text(said, place) or None
    if counted is not None and kind not in ("integer", "number"):
        faults.add(place, f"a value of type `{kind}` is no number of anything")
    return counted


def _purpose(description: Any) -> str:
    return str(description.get("purpose", "")) if isinstance(description, dict) else str(description or "")

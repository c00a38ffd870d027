"""`{file}.csv-metadata.json` as CSV on the Web has it: titles in two languages, types with their bounds, keys, and the lists referred to."""

from __future__ import annotations

from typing import Any

from lienthong.contracts import Property
from lienthong.web.doors.packages.telling import Told, key_of, licence_of, references_of, rules_of, words_of

_BASES = {"string": "string", "integer": "integer", "number": "double", "boolean": "boolean", "date": "date", "timestamp": "dateTime"}
TIMESTAMP = "yyyy-MM-dd HH:mm:ss.SSSSSSX"  # as our CSV files write an instant


def metadata_of(told: Told, base: str) -> dict[str, Any]:
    """The metadata of a table; of several where its keys refer to lists, for CSVW knows keys between tables of one group."""
    keys = _keys(told)
    context = ["http://www.w3.org/ns/csvw", {"@language": "vi"}]
    if not keys:
        return {"@context": context, **_table(told, base, [])}
    lists = {target.contract.id: target for _, target, _ in keys}
    return {"@context": context, "tables": [_table(told, base, keys), *(_table(target, base, []) for target in lists.values())]}


def _keys(told: Told) -> list[tuple[str, Told, str]]:
    """CSVW wants exactly one row for each reference: only lists whose whole key is the column referred to."""
    return [each for each in references_of(told) if key_of(each[1]) == [each[2]]]


def _table(told: Told, base: str, keys: list[tuple[str, Told, str]]) -> dict[str, Any]:
    contract = told.contract
    schema: dict[str, Any] = {"columns": [_column(p, told) for p in told.properties]}
    if key_of(told):
        schema["primaryKey"] = key_of(told)
    if keys:
        schema["foreignKeys"] = [
            {"columnReference": name, "reference": {"resource": _address(target, base), "columnReference": column}}
            for name, target, column in keys
        ]
    found: dict[str, Any] = {
        "url": _address(told, base),
        "dc:title": [{"@value": contract.title_vi, "@language": "vi"}, {"@value": contract.title_en, "@language": "en"}],
        "dc:description": contract.description_vi.strip(),
        "dc:publisher": told.owner,
        "dcat:keyword": list(words_of(contract)),
        "lang": "vi",
        "dialect": {
            "encoding": "utf-8",
            "header": True,
            "delimiter": ",",
            "lineTerminators": ["\n"],
            "quoteChar": '"',
            "doubleQuote": True,
        },
        "tableSchema": schema,
    }
    licence = licence_of(contract, base)
    if licence is not None:
        found["dc:license"] = {"@id": licence["path"]}
    if told.known_at is not None:
        found["dc:modified"] = {"@value": told.known_at.date().isoformat(), "@type": "xsd:date"}
    return found


def _address(told: Told, base: str) -> str:
    return f"{base}/dataset/{told.contract.id}.csv"


def _column(p: Property, told: Told) -> dict[str, Any]:
    """The heading of the file is a title too, or a reader would take it for another column."""
    found: dict[str, Any] = {"name": p.name, "titles": {"und": p.name, "vi": p.title_vi, "en": p.title_en}, "lang": "vi"}
    if p.description:
        found["dc:description"] = p.description
    if not told.is_plain(p):
        return {**found, "datatype": "string"}
    if p.required or p.key_position is not None:
        found["required"] = True
    return {**found, "datatype": _datatype(p, told)}


def _datatype(p: Property, told: Told) -> str | dict[str, Any]:
    found: dict[str, Any] = {"base": _BASES[p.logical_type]}
    rules = rules_of(p, told.contract)
    if p.logical_type == "timestamp":
        found["format"] = TIMESTAMP
    elif p.logical_type == "boolean":
        found["format"] = "true|false"
    elif p.logical_type == "date":
        found["format"] = "yyyy-MM-dd"
    elif "pattern" in rules:
        found["format"] = rules["pattern"]
    for ours, theirs in (
        ("minimum", "minimum"),
        ("maximum", "maximum"),
        ("exclusiveMinimum", "minExclusive"),
        ("exclusiveMaximum", "maxExclusive"),
        ("minLength", "minLength"),
        ("maxLength", "maxLength"),
    ):
        if ours in rules and (p.logical_type != "timestamp"):
            found[theirs] = rules[ours]
    return found["base"] if list(found) == ["base"] else found

"""Every word a contract of ours may use beyond the Open Data Contract Standard, each with one sentence.

The reference page `docs/reference/contract.md` is made from these tables, and the reader refuses what is not in them.
"""

from __future__ import annotations

from collections.abc import Mapping

LOGICAL_TYPES = ("string", "integer", "number", "boolean", "date", "timestamp")

CONTRACT_WORDS: Mapping[str, str] = {
    "titleEn": "The dataset's title in English; `name` is the title in Vietnamese. Required.",
    "descriptionEn": "What the dataset is, in English; `description.purpose` says it in Vietnamese.",
    "agency": "Identifier of the agency that owns the dataset, such as `H10.12`. Required.",
    "entity": "What a row is about: person, enterprise, parcel, household, facility, agency.",
    "match": "Which master entities a row speaks of, and how; the table below.",
    "layer": "Where the dataset stands: `source`, `master`, `code_list`, `transaction`, `aggregate` or `open`. Without it: `source`.",
    "sharing": "`open` to all, `default` to agencies, `on_request`, or `restricted`. Without it: `on_request`.",
    "legalBasis": "A list of `text` with `validFrom` and `validTo` (dates): the law the dataset is kept and shared under; `validTo` is the first day it no longer holds.",
    "validFrom": "The property (a date) that says since when a row is true. Without it: the day of the delivery.",
    "expect": "Bounds past which a run waits for a person; the table below.",
    "schedule": "When the sources are read, by the calendar of offices; the table below. Without it: when somebody, or something else, runs them.",
    "closing": "When the periods of its rows close; the table below. A later change of a closed period waits for a person's reason. Without it: never.",
    "sources": "The roads by which the dataset arrives; the table below.",
    "catalogueEntry": "`public`, or `restricted`: the dataset's very entry is kept from the public catalogue, and who neither owns it nor has an agreement about it is answered as if there were no such dataset. Without it: `public`.",
    "place": "Where a row is on the earth, for maps; the table below.",
    "disclosure": "What a person is shown of how their data was used, and when; the table below. Without it: everything, at once.",
    "licence": "The licence open data is given under; one of the table below. No dataset is opened without it.",
}
PROPERTY_WORDS: Mapping[str, str] = {
    "titleEn": "The property's title in English; `businessName` is the title in Vietnamese.",
    "standard": "The entry of `standards` that cleans the value. Without it: the one of the logical type.",
    "standardOptions": "Options of that standard, as [standards](standards.md) lists them.",
    "source": "The heading, or a list of headings, under which the value arrives. Without it: the property's own name.",
    "mapping": 'What makes the value of delivered columns: an [expression](mapping.md) such as `join(" ", [Họ], [Tên])`. Without it, the value arrives ready under `source`.',
    "asOf": "The property (a date) that dates a unit's code or an address; or `delivery`, the day of the delivery.",
    "authoritative": "`true` where this agency is the one trusted source of the value; the code of another agency, such as `H10.02`, where that one is: only it may then change the value.",
    "match": "In a master contract: how the attribute is compared: `kind` and its options; the table below.",
    "survivorship": "In a master contract: a list of rules that choose among the values of several registers; the table below.",
    "quasiIdentifier": "`true`: with others like it the value may tell who a row is about: a birth date, a commune, a trade. Measured before the dataset is [opened](../how-to/open-a-dataset-safely.md).",
    "confidential": "`true`: what must not become known of whoever is recognised: an income, an illness, a grant.",
    "counts": "Of an aggregate: what the value is a number of (`person`, `household`, `enterprise`, …); a small one tells of somebody.",
    "statistic": "Of an aggregate: the property's part in statistics ([SDMX](doors.md)): `dimension`, `time`, `measure` or `attribute`. Without it: by the usual signs.",
    "mask": "How the value shows where an agreement says masked: `last2`, `last3`, `year` or `initials`.",
}
SOURCE_WORDS: Mapping[str, str] = {
    "name": "The road's own name, unique in the contract; `api` and `correction` are taken. Required.",
    "connector": "Who reads it: an entry of [connectors](connectors.md). Required.",
    "location": "Where it is; `${NAME}` is filled from the environment variable `LIENTHONG_SOURCE_NAME`. Required.",
    "delivery": "`snapshot`: the whole dataset each time, what is missing has ended. `incremental`: new and changed rows only. `changes`: the whole first, then what changed in order: the last word on a record counts, and it may say that the record ended.",
    "options": "Options of that connector.",
}
ROLE_WORDS: Mapping[str, str] = {
    "entity": "The entity a row speaks of; a contract of layer `master` with this `entity` says what is known of it. Required.",
    "role": "A name for this role, where a dataset speaks of several entities: its records are then called `dataset#role`.",
    "unique": "`true`: the register promises one row an entity, so two of its rows are never joined.",
    "datedBy": "The property (a date) that says when the register last looked at the row: what is newer counts more.",
    "by": "Properties whose rows together are one record: the household of a register of persons. Without it: each row.",
    "unless": "Property → pattern (a regular expression, anywhere in the value): rows it fits are no record of the entity, such as a company among holders of land.",
    "attributes": "Attribute of the entity → property here, or a list of them: the first with a value counts. Required.",
}
KINDS: Mapping[str, str] = {
    "person_name": "The whole name of a person: marks, order, spelling, missing middle name.",
    "other_name": "Another name a person goes by (tên gọi khác), beside the usual one, which `of` names.",
    "given_name": "A given name that stands alone.",
    "surname": "A family name that stands alone.",
    "organisation_name": "The name of an organisation; its legal form counts less than the rest.",
    "date": "A date of any precision: swapped day and month, year only.",
    "year": "A year.",
    "identifier": "A number given once to one: with `unique`, two different ones never belong together.",
    "phone": "A telephone number.",
    "place": "A unit's code, before or after 1 July 2025.",
    "address": "An address, with its abbreviations.",
    "text": "A word, a few or a line: its letters, and how many words are in common, in any order.",
    "category": "One of a short list.",
    "number": "A number that is compared sign by sign.",
    "code": "A code that is compared sign by sign.",
}
MATCH_OPTIONS: Mapping[str, str] = {
    "kind": "What kind of value it is; one of the kinds below. Required.",
    "unique": "`true`: two different valid values never belong to one entity without a steward; equal ones join where name or birth agree.",
    "weak": "`true`: an identifier that is evidence only.",
    "parted": "`true`: of a code its parts count as well as its signs: parcel 25414-1-188 is not 25414-11-88.",
    "today": "`true`: of a place: a unit that became part of one other alone, as was known when the model was learnt, is compared as that one too. Two "
    "units that differ all the same then speak more against.",
    "of": "Of an `other_name`: the attribute of the usual name. Of a `weak` identifier: the `unique` one that replaced it (a CCCD of a CMND). Where a "
    "record brings both numbers, those that have the earlier one alone are joined to it if name and birth agree.",
    "pattern": "The form (a regular expression) a value must have to count as this attribute.",
    "group": "Attributes of one group hang together and count once: the finest agreement among them.",
    "apart": "`true`: records that differ in all attributes marked so are never joined by themselves.",
    "shared": "Whether people under one roof share it; without it, by its kind.",
    "compare": "`false`: carried into the golden record, not compared.",
}
SURVIVORSHIP_RULES: Mapping[str, str] = {
    "authority": "The register earliest in the list `of`; those not in it come last.",
    "recent": "The newest by the register's own date; undated ones come last.",
    "complete": "The fullest: dates with their day, names with their marks and all their words.",
    "frequent": "The value most records have.",
    "longest": "The longest text.",
    "largest": "The largest number, or the last in alphabetical order.",
    "smallest": "The smallest number, or the first in alphabetical order.",
    "prefer": "A value that has the form `pattern`, before one that has not.",
    "expression": "The value for which `score`, an expression, gives the largest number, or is true; one for which it gives nothing comes last.",
}
SURVIVORSHIP_PARAMETERS: Mapping[str, tuple[str, ...]] = {"authority": ("of",), "prefer": ("pattern",), "expression": ("score",)}
STATEMENT_WORDS: Mapping[str, str] = {
    "value": "The value, as text.",
    "register": "The register that says it, as in `authority`.",
    "record": "The register's key of the row.",
    "dated": "The register's own date of the row (2026-05-20); empty where it has none.",
    "records": "How many of the records still to choose from say the same.",
}
EXPECT_WORDS: Mapping[str, tuple[str, str]] = {
    "rowsMin": ("rows_min", "Fewest rows of a delivery. That a source which goes on after its last delivery has nothing new is none."),
    "rowsMax": ("rows_max", "Most rows of a delivery."),
    "changedMaxPercent": ("changed_max_percent", "Most records changed, per cent of those published before."),
    "endedMaxPercent": ("ended_max_percent", "Most records ended, per cent of those published before."),
    "quarantinedMaxPercent": ("quarantined_max_percent", "Most rows held back, per cent of the rows that came."),
    "lastMinPercent": (
        "last_min_percent",
        "Fewest rows of a whole delivery, per cent of the source's last one, where that had 50 or more. Without it: 80; 0 lets any through.",
    ),
    "driftMaxPsi": (
        "drift_max_psi",
        "How far a field's values may lie from those of earlier versions (population stability index); 0.25 is the usual sign of another population.",
    ),
    "emptyMaxPoints": (
        "empty_max_points",
        "By how many percentage points a field's share of empties may move from that of earlier versions.",
    ),
    "newValuesMax": ("new_values_max", "How many values a field of a list may have that no earlier version had; 0 holds any new one back."),
}
SCHEDULE_WORDS: Mapping[str, str] = {
    "every": "`hour`, `day`, `working_day`, `week` or `month`. Required.",
    "at": "The time of day in Vietnam, such as `06:30`; of `hour`, its minutes count. Without it: `06:00`.",
    "day": "Of `week`: 1 (Monday) to 7; of `month`: 1 to 31, the last day where a month has fewer. Without it: 1.",
    "shift": "When the day is no working day: `after` (the next working day), `before`, or `none`. Without it: `after` for a month, else `none`.",
    "graceHours": "Hours after which a delivery that was due and has not come is told as silence. Without it: 24.",
}
CLOSING_WORDS: Mapping[str, str] = {
    "column": "The property (a date, or a whole number that is a year) that says which period a row belongs to. Required.",
    "type": "The type of the [periods](indicators.md): `month`, `quarter`, `half_year`, `year`, or one of these with `_15_14`. Required.",
    "workingDays": "Working days after a period's last day on which its rows may still change. Without it: 10.",
}
PLACE_WORDS: Mapping[str, str] = {
    "geometry": "The property of standard `geometry` (GeoJSON). Without `place`, a dataset's only such property is taken.",
    "longitude": "The property (a number) with the longitude, WGS 84, beside `latitude`.",
    "latitude": "The property (a number) with the latitude.",
    "unit": "The property with a unit's code: a row without a place of its own is shown at a point inside that unit's border, where borders are there.",
    "time": "The property (a date or an instant) that says when a row was, for `datetime`. Without it, `datetime` asks what was true on a day.",
}
DISCLOSURE_WORDS: Mapping[str, str] = {
    "delayDays": "Days after which a use is shown to the person.",
    "hiddenPurposes": "Purposes (codes) whose uses are not shown; that there are such purposes is.",
    "delayedPurposes": "Purpose → days after which its uses are shown.",
    "official": "`shown` or `hidden`: whether the name of the official is shown. Without it: `shown`.",
    "legalBasis": "The law that allows a delay or hides a purpose; required where there is one.",
}
LEGAL_WORDS = ("text", "validFrom", "validTo")
STATISTICS = ("dimension", "time", "measure", "attribute")
MASKS = ("initials", "last2", "last3", "year")

# Parameters of each kind of rule, those that must be there first. What each means is told by `quality` (docs/reference/rules.md).
RULE_PARAMETERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "required": ((), ()),
    "unique": ((), ()),
    "pattern": (("pattern",), ()),
    "length": ((), ("min", "max")),
    "range": ((), ("min", "max", "exclusive_min", "exclusive_max")),
    "allowed": (("values",), ()),
    "reference": (("dataset", "column"), ("as_of", "level")),
    "compare": (("left", "operator", "right"), ()),
    "agree": (("kind", "id", "with"), ()),
    "required_when": (("column", "when"), ()),
}
OPERATORS = ("<", "<=", ">", ">=", "==", "!=")
AGREEMENTS = ("citizen_id_birth_year", "citizen_id_sex")
ENTRY_WORDS = ("rule", "columns", "message_vi", "message_en")  # in `implementation`, beside the parameters
TYPE_OPTIONS: Mapping[str, tuple[str, str]] = {
    "pattern": ("pattern", "pattern"),
    "minLength": ("length", "min"),
    "maxLength": ("length", "max"),
    "minimum": ("range", "min"),
    "maximum": ("range", "max"),
    "exclusiveMinimum": ("range", "exclusive_min"),
    "exclusiveMaximum": ("range", "exclusive_max"),
}

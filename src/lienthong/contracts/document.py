"""Writes the pages made from code and contracts: the words of a contract, and a page for each dataset.

`python -m lienthong.contracts.document datasets docs/reference` writes them anew; a test says they are current.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lienthong.contracts.licences import LICENCES
from lienthong.contracts.load import load_all
from lienthong.contracts.mapping import UNITS
from lienthong.contracts.mapping.functions import LONGEST_VALUE, render_functions
from lienthong.contracts.mapping.reading import DEEPEST, LONGEST, MOST_PARTS
from lienthong.contracts.model import Contract
from lienthong.contracts.reference import render_reference
from lienthong.contracts.vocabulary import (
    CLOSING_WORDS,
    CONTRACT_WORDS,
    DISCLOSURE_WORDS,
    EXPECT_WORDS,
    KINDS,
    LOGICAL_TYPES,
    MATCH_OPTIONS,
    PLACE_WORDS,
    PROPERTY_WORDS,
    ROLE_WORDS,
    RULE_PARAMETERS,
    SCHEDULE_WORDS,
    SOURCE_WORDS,
    STATEMENT_WORDS,
    SURVIVORSHIP_PARAMETERS,
    SURVIVORSHIP_RULES,
    TYPE_OPTIONS,
)

_HEAD = """# Contracts

Generated from `lienthong.contracts.vocabulary`; write it anew with `python -m lienthong.contracts.document datasets docs/reference`.

A contract says once what a dataset promises. It is a file of the [Open Data Contract Standard](https://bitol-io.github.io/open-data-contract-standard/)
v3.1 (YAML), `datasets/<agency>/<dataset>/contract.yaml`; its tables, checks, API, catalogue entry and [reference page](datasets/) follow from it.
`lienthong contract check datasets` tells every fault of every file at once, each with its place and the nearest right word. A contract
with a fault is refused whole, and the version before it stays in force. Nothing in it is ignored: a word that is not understood is a fault.

```yaml
apiVersion: v3.1.0
kind: DataContract
id: population.persons            # agency word, dataset word
name: Dân cư                      # the title in Vietnamese
version: 1.0.0
status: active
schema:
  - name: persons                 # exactly one table
    properties:
      - name: citizen_id
        businessName: Số định danh cá nhân
        logicalType: string
        classification: personal
        customProperties:
          - {property: titleEn, value: Personal identification number}
          - {property: source, value: so_dinh_danh}
          - {property: standard, value: citizen_id}
customProperties:
  - {property: titleEn, value: Population}
  - {property: agency, value: G01.70}
  - {property: sharing, value: restricted}
```

YAML is read as plain data: UTF-8, at most 1,000,000 bytes, no tags, no anchors or aliases, no key twice; a date stays text.

## Words of the standard, and how we read them

| Word | Read as |
|---|---|
| `id` | `<agency word>.<dataset word>`: small letters, digits, `-`; unique |
| `name`, `description.purpose` | title and description in Vietnamese |
| `version` | three numbers, such as `1.2.0`; raised by hand |
| `schema` | exactly one table |
| `properties[].name` | small letters, digits, `_`, a letter first, at most 50 |
| `properties[].logicalType` | {types} |
| `properties[].primaryKey`, `primaryKeyPosition` | the key; its properties are `required: true`, positions 1, 2, … |
| `properties[].required`, `unique` | rules of severity error |
| `properties[].classification` | the sensitivity: `public`, `internal`, `personal`, `sensitive`; without it `internal`; never a state secret |
| `properties[].logicalTypeOptions` | rules: {options} |
| `quality` (of a property or of the table) | rules, below |
"""
_PLACE = """
### `place`: where a row is

Datasets with a place are collections of [OGC API – Features](doors.md) and files for maps (GeoPackage, GeoParquet); a property of standard `geometry` has an index of boxes.

```yaml
- {property: place, value: {longitude: lon, latitude: lat, time: measured_at}}
```

"""
_DISCLOSURE = """
### `disclosure`: what a person sees of how their data was used

Every use of a person's data can be seen by that person ([who looked at my data](../how-to/see-who-used-my-data.md)). What the contract says here is published with it, and nothing else hides a use.

```yaml
- property: disclosure
  value:
    delayedPurposes: {xac-minh-to-giac: 180}
    hiddenPurposes: [dieu-tra-hinh-su]
    legalBasis: Bộ luật Tố tụng hình sự 101/2015/QH13
```

"""
_LICENCES = """
### `licence`: under which terms open data is given

A licence here lets anybody copy, share, combine and trade on the data; none that forbids a use or a change is taken. `vn-ogd` is the one to take where nothing speaks for another.

| Licence | | |
|---|---|---|
"""
_ROLES = """
### `match`: which entities a row speaks of

A list of roles, one an entity. How to write one: [describe an entity](../how-to/describe-an-entity.md).

```yaml
- property: match
  value:
    - entity: person
      datedBy: updated_on
      attributes: {citizen_id: citizen_id, full_name: full_name, born_on: [born_on, birth_year]}
    - entity: household
      role: household
      by: [household_code]
      attributes: {household_code: household_code, commune_code: commune_code}
```

"""
_MASTER = """
## Master contracts

A contract of `layer: master` with an `entity` describes its golden records, `datasets/master/<entity>/contract.yaml`. It has one key, the
golden id; no `sources`, for golden records are made, not delivered; and, if wished, a property `provenance` (string), which is filled with
`{attribute: [register, key there, rule, distinct values]}` as JSON. Each other property is an attribute:

```yaml
- name: citizen_id
  businessName: Số định danh cá nhân
  logicalType: string
  classification: personal
  customProperties:
    - {property: titleEn, value: Personal identification number}
    - {property: match, value: {kind: identifier, unique: true, pattern: "[0-9]{12}"}}
    - {property: survivorship, value: [{rule: authority, of: [population.persons]}, frequent, recent]}
```

### `match` of an attribute

An attribute without it is carried into the golden record and not compared.

"""
_SURVIVORSHIP = """
### `survivorship`: whose value is chosen

A list of rules, asked in order until one value stands alone. Without it: `recent`, `complete`, `frequent`, `longest`. What no rule can decide falls to the
value that is first in alphabetical order, so that the result never depends on the order in which rows came. A value that every register
agrees on is told as `only`, one that a steward set as `steward`.

"""
_SCORES = """
`score` is an expression of the [language of mappings](mapping.md), in which a column is something of the statement. It gives a number, or is true or false;
it looks nothing up, so that the choice is a function of what registers say. `{rule: expression, score: 'if([register] = "land.holders", 2, 1) + number([records])'}`:

"""
_RULES = """
## Rules

An entry of `quality` is `type: custom`, `engine: lienthong`; `severity` is `error` (the row waits in quarantine; the default) or `warning`
(the row is kept, the issue recorded). Another type or engine is a fault. What each kind and parameter means: [rules](rules.md).

```yaml
quality:
  - id: expires_after_issue
    type: custom
    engine: lienthong
    severity: warning
    dimension: consistency
    implementation:
      rule: compare
      left: expires_on
      operator: ">"
      right: issued_on
      message_vi: Ngày hết hạn phải sau ngày cấp
      message_en: Expiry must be after issue
```

| `rule` | Must have | May have |
|---|---|---|
"""
_TAIL = """
`columns` names the properties a rule reads where they do not follow from its place and parameters; `message_vi` and `message_en` go before
the words made by the rule.

## What must hold across a contract

- Names of properties, rules and sources are unique; ids of datasets are unique in the folder.
- A property that dates others (`asOf`, `validFrom`) is a `date` or a `timestamp`.
- A dataset that is `open` has no property that is `personal` or `sensitive`.
- A `reference` names a dataset and a property that there are.
- A role names an entity that has a master contract, attributes it has, and properties of its own dataset; `datedBy` is a date.
- An entity has one master contract; an `authority` names registers that speak of that attribute; `apart` marks two attributes or more.
- `match` and `survivorship` of a property stand in master contracts only.
- Bounds are in order: `min` not above `max`, `rowsMin` not above `rowsMax`, percentages from 0 to 100.

## A new version

`compare(old, new)` lists every difference with a verdict, from the side of those who read answers:

| Verdict | Means | Such as |
|---|---|---|
| `compatible` | nobody need know | a title, a source, a bound, an optional property more |
| `notice` | readers should be told; what they wrote goes on working | a rule more or less, a value required now, a code taken away, a wider type, a more open dataset |
| `breaking` | what readers wrote may fail | a property removed, a type or the key changed, a value no longer required, a code that is new, a dataset closed |
"""


def render_words(contracts: Mapping[str, Contract]) -> str:
    """The page of a contract's words as Markdown, with the datasets there are at its end."""
    parts = [
        _HEAD.replace("{types}", _list(LOGICAL_TYPES)).replace("{options}", _list(TYPE_OPTIONS)),
        "\n## `customProperties` of the contract\n\n" + _words(CONTRACT_WORDS),
        "\n### `sources`\n\n" + _words(SOURCE_WORDS),
        "\n### `expect`\n\n" + _words({word: sentence for word, (_, sentence) in EXPECT_WORDS.items()}),
        "\n### `schedule`\n\n" + _words(SCHEDULE_WORDS),
        "\n### `closing`\n\n" + _words(CLOSING_WORDS),
        _PLACE + _words(PLACE_WORDS),
        _DISCLOSURE + _words(DISCLOSURE_WORDS),
        _LICENCES,
        *(f"| `{code}` | {licence.title_vi} · {licence.title_en} | {licence.summary_en} |\n" for code, licence in LICENCES.items()),
        _ROLES + _words(ROLE_WORDS),
        "\n## `customProperties` of a property\n\n" + _words(PROPERTY_WORDS),
        _MASTER + _words(MATCH_OPTIONS),
        "\n| Kind | |\n|---|---|\n" + "".join(f"| `{kind}` | {sentence} |\n" for kind, sentence in KINDS.items()),
        _SURVIVORSHIP + _words({_with_parameters(rule): sentence for rule, sentence in SURVIVORSHIP_RULES.items()}),
        _SCORES + _words({f"[{word}]": sentence for word, sentence in STATEMENT_WORDS.items()}),
        _RULES,
        *(f"| `{kind}` | {_list(must)} | {_list(may)} |\n" for kind, (must, may) in RULE_PARAMETERS.items()),
        _TAIL,
        "\n## The datasets there are\n\n| Dataset | | Owner | Sharing |\n|---|---|---|---|\n",
        *(f"| [`{c.id}`](datasets/{c.id}.md) | {c.title_vi} · {c.title_en} | `{c.agency}` | `{c.sharing}` |\n" for c in contracts.values()),
    ]
    return "".join(parts)


_MAPPING = """# Mapping

Generated from `lienthong.contracts.mapping`; write it anew with `python -m lienthong.contracts.document datasets docs/reference`.

The custom property `mapping` of a field says what makes its value of the columns that arrive. It is applied between landing and cleaning: the rows as they came
stay in the landing, the field's standard cleans what the mapping gives, and the [catalogue](catalogue.md) tells which columns each field is made of. How to:
[map columns](../how-to/map-columns.md).

```yaml
- name: full_name
  businessName: Họ và tên
  logicalType: string
  customProperties:
    - {property: titleEn, value: Full name}
    - {property: standard, value: person_name}
    - {property: mapping, value: 'join(" ", [Họ và tên đệm], [Tên])'}
```

- A column stands in square brackets by its heading (`]` is written `]]`); case, needless spaces and the Unicode form of headings do not count. A text stands in
  quotation marks (`"` is written `""`), a number with a point. `and`, `or`, `not`; `=`, `!=`, `<`, `<=`, `>`, `>=`; `+`, `-`, `*`, `/`; parentheses.
- There are no names, no loops and no other functions than these: an expression reads the row's own cells, texts written out, and published datasets.
  It is at most {longest} characters, {deepest} deep and {parts} parts; what it makes is at most {value} characters. Every expression ends, and gives the same each time.
- An empty cell has no value. A number is read as offices and programs write it, as the standard `decimal` does; a number that is made is written so that every standard
  reads the same of it. Two texts are the same whatever their case, spaces and Unicode form; `<` and the like compare numbers.
- What cannot be made is an issue of the rule `mapping` that names row, field and the cells it would have been made of; the row waits in quarantine. Only what is
  chosen counts: `if([Số] = "-", 0, number([Số]))` never complains of a dash.
- `lookup` reads what is in force on the day of the delivery; a value that fits several entries is an issue, never a guess.
- A value that arrives under the field's own name or its `source` (records that are sent, a filled-in form, a correction) stands before the mapping, unless the mapping reads that very column.
- A changed mapping is a changed contract: what landed is judged again (`lienthong run again`), nothing need be fetched.

"""


def render_mapping() -> str:
    """The page of the mapping language as Markdown."""
    head = _MAPPING.replace("{longest}", f"{LONGEST:,}").replace("{deepest}", str(DEEPEST)).replace("{parts}", str(MOST_PARTS))
    return (
        head.replace("{value}", f"{LONGEST_VALUE:,}")
        + "## Functions\n\n"
        + render_functions()
        + "\n## Units of `convert`\n\n"
        + "".join(f"- {quantity}: {_list(units)}\n" for quantity, units in UNITS.items())
    )


def pages(datasets: Path) -> dict[str, str]:
    """Every page, by its path below docs/reference."""
    contracts = load_all(datasets)
    return {
        "contract.md": render_words(contracts),
        "mapping.md": render_mapping(),
        **{f"datasets/{contract.id}.md": render_reference(contract) for contract in contracts.values()},
    }


def _words(words: Mapping[str, str]) -> str:
    return "| Word | Means |\n|---|---|\n" + "".join(f"| `{word}` | {sentence} |\n" for word, sentence in words.items())


def _with_parameters(rule: str) -> str:
    return ", ".join((rule, *SURVIVORSHIP_PARAMETERS.get(rule, ())))


def _list(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    import sys

    for name, page in pages(Path(sys.argv[1])).items():
        path = Path(sys.argv[2]) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, "utf-8")

"""The reference page of standards, made from `STANDARDS` and `PROBLEMS`; `docs/reference/standards.md` is its output and a test says so."""

from __future__ import annotations

from lienthong.standards import PROBLEMS, STANDARDS, Standard

_HEAD = """# Standards

Generated from `lienthong.standards.STANDARDS`; write it anew with `python -m lienthong.standards.document > docs/reference/standards.md`.

A standard says what one kind of value is: how it is cleaned, checked, compared and shown. A property of a contract names its standard
(`standard`) and may set options (`standardOptions`); the value as it came is always kept beside the clean one. A problem of severity
`error` leaves no value and the row waits in quarantine; with a `warning` the value is kept and the issue recorded. An empty cell is no
value and no problem. Cleaning a clean value changes nothing.

A number in which one sign stands alone before exactly three digits can be read two ways. What must be whole (`integer`, `money`) groups
thousands: `1.234` and `1,234` are 1234. A `decimal` reads `1.234` as databases and programs write it and `1,234` as offices do: both are
one and a fraction. A source in which people type `1.234` for one thousand and more says `decimal_comma: true`.

A cell of more than 1,000 letters is no name, number or date (`text.too_long`); only `text` and `geometry` take longer ones. Control signs are
spaces; joiners, byte order marks and signs that turn the direction of writing are left out; of more than 30 marks on one letter the rest
are cut (`text.marks`). No value raises, and time grows with length.

Ranges of numbers that are never issued mark sample data: personal ids of places 097–099, old ids 00… and 99…, tax codes 00…, insurance
numbers 99…, phones 06…. They are refused unless `LIENTHONG_ACCEPT_SYNTHETIC_IDS` is true.

Text of before Unicode (TCVN3, VNI, VISCII, windows-1258) is decoded by the connector, which finds the encoding or is told it; a name
that was already read wrongly (`NguyÔn V¨n`) is repaired by `person_name` with a warning.
"""
_UNITS = """
Before 1 July 2025 and since, by the register the package ships (sources and licences in `standards/data/README.md`). The row's date is
the property that the contract names in `asOf`. A code stays as it was written; a code not in force on that day gets a warning. A name
becomes the code of the one unit it can mean: with the district or province after it, in any usual spelling (`P.`, `TX`, `Đak`, `Đắk`,
no marks, `hoà`, `hòa`, no commas). A name of before 1 July 2025 in a row of after becomes the unit that took its place, with a warning,
because 1,824 old codes name another unit now; where an old unit was split, the row waits for a person. A name with wrong or lost marks,
spelled by ear (s/x, ch/tr, d/gi/v, n/ng, t/c, i/y), with Telex keys left over or one slip in it becomes the one commune it resembles in
the district or province it names, with the warning `admin_unit.respelled`; where it resembles two, or names no place, the row waits. The
unit stands in the last four parts; what is before the last name of a commune's kind lies below it. Nothing is guessed and nothing is asked
of any network.

A name that stands alone, with no district or province after it, is looked for in the whole country, those of the province `within` first.
A register of one province says `strict: true` beside `within` (or the platform's own province is set, `LIENTHONG_PROVINCE`, which does both
for every contract that says no `within`): then such a name is a unit of that province, of what became part of it or what it became part of,
or the row waits: `admin_unit.elsewhere` where only other provinces have the name, `admin_unit.ambiguous` where several of the province bear
it or an old unit of the name became another than the one in force (on 1 July 2025 the new Tân Tiến took in one old Tân Tiến of Bình Phước
and not the other). The issue names the units the value may mean, code and name, for the person who decides.
"""
_NOTES = {"admin_unit": _UNITS}


def render() -> str:
    """The page as Markdown."""
    parts = [_HEAD, "\n| Standard | Is | Cleaned to |\n|---|---|---|\n"]
    parts += [f"| [`{one.name}`](#{one.name}) | {one.title_vi} · {one.title_en} | {one.dtype} |\n" for one in STANDARDS.values()]
    parts += [_section(one) for one in STANDARDS.values()]
    parts.append("\n## Problems\n\n| Code | Severity | Says | Expected |\n|---|---|---|---|\n")
    parts += [
        f"| `{code}` | {problem.severity} | {problem.vi} · {problem.en} | {problem.expected_vi} · {problem.expected_en} |\n"
        for code, problem in PROBLEMS.items()
    ]
    return "".join(parts)


def _section(one: Standard) -> str:
    parts = [f"\n## {one.name}\n\n{one.title_vi} · {one.title_en}.\n", _NOTES.get(one.name, "")]
    if one.known_options:
        rows = "".join(f"| `{name}` | {sentence} |\n" for name, sentence in one.known_options.items())
        parts.append(f"\n| Option | Means |\n|---|---|\n{rows}")
    if one.good or one.bad:
        rows = "".join(f"| {_code(typed)} | {_code(clean)} |\n" for typed, clean in one.good)
        rows += "".join(f"| {_code(typed)} | {PROBLEMS[problem].en} (`{problem}`) |\n" for typed, problem in one.bad)
        parts.append(f"\n| As it came | Becomes |\n|---|---|\n{rows}")
    return "".join(parts)


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|").replace("\u00a0", "␣") + "`"


if __name__ == "__main__":
    import sys

    sys.stdout.write(render())

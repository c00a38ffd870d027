"""The reference page of rule kinds, made from `RULES`; `docs/reference/rules.md` is its output and a test says so."""

from __future__ import annotations

from lienthong.quality.rules import RULES

_HEAD = """# Rules

Generated from `lienthong.quality.RULES`; write it anew with `python -m lienthong.quality.document > docs/reference/rules.md`.

A rule is a promise of a contract about its rows. A row that breaks a rule of severity `error` waits in quarantine with all its issues;
one that breaks a rule of severity `warning` is kept, and the issue is recorded. An empty value breaks only `required` and
`required_when`. A rule's own words (`message_vi`, `message_en`) go before the ones made here.
"""
_TAIL = """
## Judged over a whole delivery

| Code | When | What happens |
|---|---|---|
| `duplicate.row` | two rows say the same under one key | one is kept, the others wait |
| `duplicate.key` | rows of one key say different things | all of them wait |
| `reference.unavailable` | the other dataset has nothing published yet | a warning; the row is kept |

Bounds of `expect` (`rows_min`, `rows_max`, `changed_max_percent`, `ended_max_percent`, `quarantined_max_percent`) hold for the delivery as
a whole: past one of them nothing is published and the run waits for a person. `unique` on a property that is not the key is judged
among the rows cleaned together (one landed batch).
"""


def render() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for kind in RULES.values():
        parts.append(f"\n## `{kind.kind}`\n\nDimension: {kind.dimension}. {_columns(kind.is_across)}\n")
        if kind.parameters:
            rows = "\n".join(f"| `{name}` | {sentence} |" for name, sentence in kind.parameters.items())
            parts.append(f"\n| Parameter | Means |\n|---|---|\n{rows}\n")
    parts.append(_TAIL)
    return "".join(parts)


def _columns(is_across: bool) -> str:
    return "Its issues belong to the row." if is_across else "Its issues belong to its column."


if __name__ == "__main__":
    import sys

    sys.stdout.write(render())

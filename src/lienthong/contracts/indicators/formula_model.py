"""What a checked formula is, and the words of its columns; without the library that reads SQL."""

from __future__ import annotations

from dataclasses import dataclass

PLACE, PLACED_ON, VALUE, BASE = "place", "placed_on", "value", "base"
OUTPUTS = (PLACE, PLACED_ON, VALUE, BASE)


@dataclass(frozen=True)
class Formula:
    """`statement` is for the database, its parameters written `%(name)s`; `text` is for people, as the file has it."""

    text: str
    statement: str
    reads: tuple[str, ...]
    outputs: tuple[str, ...]


def tables_of(dataset: str) -> tuple[str, str]:
    """The tables of schema `data` a dataset is read from: current rows, and all there were."""
    name = dataset.replace(".", "_").replace("-", "_")
    return name, f"{name}_history"

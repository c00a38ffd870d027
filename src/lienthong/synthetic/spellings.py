"""The same persons as another office wrote them: a mark lost, a number missing or with one digit wrong. What matching has to see through."""

from __future__ import annotations

import unicodedata

import polars as pl
from numpy.random import Generator

from lienthong.contracts import Contract
from lienthong.synthetic.chance import stream

WITHOUT_NUMBER, WRONG_NUMBER, RESPELLED = 0.25, 0.04, 0.2  # shares of rows
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def as_another_office_wrote(rows: pl.DataFrame, contract: Contract, seed: int) -> pl.DataFrame:
    """The rows with some personal numbers missing or wrong and some names respelled; every rule is still kept but those that warn."""
    draw = stream(seed, contract.id, "spellings")
    needed = {p.name for p in contract.properties if p.required or p.key_position is not None or p.unique}
    columns = {name: rows[name].to_list() for name in rows.columns}
    numbers = [p.name for p in contract.properties if p.standard == "citizen_id"]
    names = [p.name for p in contract.properties if p.standard == "person_name"]
    for row in range(rows.height):
        fate = draw.random()
        for name in numbers:
            value = columns[name][row]
            if value is None:
                continue
            if fate < WITHOUT_NUMBER and name not in needed:
                columns[name][row] = None
            elif fate > 1 - WRONG_NUMBER:
                columns[name][row] = value[:-1] + str((int(value[-1]) + 1 + int(draw.integers(8))) % 10)
        for name in names:
            if columns[name][row] is not None and draw.random() < RESPELLED:
                columns[name][row] = _tone_lost(columns[name][row], draw)
    return pl.DataFrame([pl.Series(name, columns[name], dtype=rows.schema[name]) for name in rows.columns])


def _tone_lost(text: str, draw: Generator) -> str:
    words = text.split(" ")
    place = int(draw.integers(len(words)))
    words[place] = unicodedata.normalize("NFC", "".join(c for c in unicodedata.normalize("NFD", words[place]) if c not in _TONES))
    return " ".join(words)

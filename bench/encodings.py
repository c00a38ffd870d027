"""Telling dead encodings apart: columns of the made-up province, written in each encoding and looked at a hundred rows at a time.

The seed is one nothing was tuned on. A verdict is right when the bytes read in it give back the text; a column without any mark says nothing.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.report import Row, at_least, at_most
from demo.province.generate import generate
from lienthong import connectors
from lienthong.connectors import ReadContext
from lienthong.contracts import Source, load
from lienthong.standards import detect_encoding, encode_legacy
from lienthong.standards.encoding_detection import DECODERS

SEED = 907
CONTRACTS = (
    "health-insurance/cards",
    "poor-households/members",
    "land/holders",
    "licences/register",
    "agencies/register",
    "admin-units/units",
)
OTHERS = {  # read from a service in the demo; here from what the service would say
    "population/persons": Source("file", "csv_file", "${DEMO}/dan-cu/nhan_khau.csv"),
    "enterprises/register": Source(
        "file",
        "json_file",
        "${DEMO}/doanh-nghiep/doanh-nghiep.json",
        options={
            "fields": {
                "ten": "ten",
                "loai": "loai_hinh",
                "trang_thai": "trang_thai",
                "nganh": "nganh_chinh.ten",
                "dia_chi": "tru_so.dia_chi",
                "ho_ten": "nguoi_dai_dien.ho_ten",
            }
        },
    ),
}
REGISTERS = (*CONTRACTS, *OTHERS)
ROWS = 100
WINDOWS = 25  # of one column
LOW = 0.5  # confidence under which nobody should go on without a look
UNICODE = {"utf-8": "utf-8", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be"}
DATASETS = Path(__file__).parents[1] / "datasets"


@dataclass
class Told:
    asked: int = 0
    wrong: list[tuple[str, str, str, float]] = field(default_factory=list)  # column, written in, told, confidence

    @property
    def right_percent(self) -> float:
        return 100 * (1 - len(self.wrong) / max(1, self.asked))

    @property
    def surest_mistake(self) -> float:
        return max((confidence for *_, confidence in self.wrong), default=0.0)


def columns_of(folder: Path, register: str) -> Iterator[tuple[str, list[str]]]:
    """Each text column of a register, NFC, in the order of its rows."""
    source = OTHERS.get(register) or load(DATASETS / register / "contract.yaml").sources[0]
    batches = list(connectors.read(source, ReadContext(variables={"DEMO": str(folder)})))
    for name in batches[0].table.column_names:
        values = [value for batch in batches for value in batch.table[name].to_pylist()]
        yield f"{register} {name}", [unicodedata.normalize("NFC", value) for value in values if value]


def written(texts: list[str], encoding: str) -> list[bytes]:
    """The texts an encoding can write."""
    out = []
    for text in texts:
        try:
            out.append(text.encode(UNICODE[encoding]) if encoding in UNICODE else encode_legacy(text, encoding))
        except UnicodeEncodeError:
            continue
    return out


def read_back(samples: list[bytes], encoding: str) -> list[str]:
    return [DECODERS[encoding](sample) if encoding in DECODERS else sample.decode(encoding) for sample in samples]


def judge(told: Told, column: str, texts: list[str], encoding: str) -> None:
    samples = written(texts, encoding)
    if len(samples) < ROWS * 0.9 or all(sample.isascii() for sample in samples):
        return
    told.asked += 1
    name, confidence = detect_encoding(samples)
    if name != encoding and not _same(samples, encoding, name):
        told.wrong.append((column, encoding, name, confidence))


def _same(samples: list[bytes], one: str, other: str) -> bool:
    """Whether two encodings read the bytes alike."""
    try:
        return read_back(samples, one) == read_back(samples, other)
    except UnicodeDecodeError:
        return False


def try_all(folder: Path, registers: tuple[str, ...] = REGISTERS) -> Told:
    told = Told()
    for register in registers:
        for column, texts in columns_of(folder, register):
            if not any(not text.isascii() for text in texts):
                continue
            for window in range(min(WINDOWS, len(texts) // ROWS)):
                part = texts[window * ROWS : (window + 1) * ROWS]
                for encoding in (*UNICODE, *DECODERS):
                    judge(told, column, part, encoding)
    return told


def measure(folder: Path, persons: int = 10_000) -> list[Row]:
    province = folder / "province"
    generate(province, persons, SEED)
    told = try_all(province)
    asked = f"{told.asked:,} columns of {ROWS} rows, {len(UNICODE) + len(DECODERS)} encodings × {len(REGISTERS)} registers"
    return [
        at_least(f"encoding told right, {asked}", told.right_percent, 99.5, "%", f"seed {SEED}", issue=6),
        at_most("surest of the wrong verdicts", told.surest_mistake, LOW, "confidence", f"{len(told.wrong)} wrong", issue=6),
    ]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path, help="a province already made")
    for mistake in try_all(arguments.parse_args().folder).wrong:
        print(*mistake)

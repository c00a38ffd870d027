"""R6, land: parcels as GeoJSON a district, and their holders as workbooks with merged headings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

from demo.province.base import stream
from demo.province.observed import Observed, observe
from demo.province.rates import COVER
from demo.province.world import World

FOLDER = "dat-dai"
USES = ("ODT", "ONT", "CLN", "CHN", "LUC", "RSX")
PARCELS_PER_PERSON = 1.12
PARCEL_DEGREES = 0.0003  # about 33 m


def write_land(world: World, out: Path) -> tuple[Observed, int]:
    """Write parcels and holders; gives the holders as observed and the number of parcels."""
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    draw = stream(world.seed, "R6", "parcels")
    count = max(200, round(world.persons.height * PARCELS_PER_PERSON))
    communes = draw.choice(len(world.communes), count)
    communes.sort()
    ids = _write_parcels(world, folder, communes, draw)
    return _write_holders(world, folder, communes, ids), count


def _write_parcels(
    world: World, folder: Path, communes: np.ndarray[tuple[int], np.dtype[np.int64]], draw: np.random.Generator
) -> list[str]:
    first = np.searchsorted(communes, np.arange(len(world.communes)))
    within = np.arange(len(communes)) - first[communes]
    areas = np.round(np.exp(draw.normal(6.7, 1.3, len(communes))), 1)
    dx, dy = draw.normal(0, 0.02, len(communes)), draw.normal(0, 0.02, len(communes))
    uses = draw.integers(0, len(USES), len(communes))
    ids: list[str] = []
    files: dict[str, list[str]] = {}
    for row, number in enumerate(communes.tolist()):
        commune = world.communes[number]
        sheet, parcel = int(within[row]) // 400 + 1, int(within[row]) % 400 + 1
        ids.append(f"{commune['old_code']}-{sheet}-{parcel}")
        x, y = float(commune["lon"]) + dx[row], float(commune["lat"]) + dy[row]
        ring = [
            [round(x + a, 6), round(y + b, 6)]
            for a, b in ((0, 0), (PARCEL_DEGREES, 0), (PARCEL_DEGREES, PARCEL_DEGREES), (0, PARCEL_DEGREES), (0, 0))
        ]
        if row % 997 == 996:  # now and then a ring that is not closed
            ring = ring[:-1]
        feature = {
            "type": "Feature",
            "properties": {
                "ma_thua": f"{commune['old_code']}-{sheet:03}-{parcel:04}", "ma_xa": commune["old_code"], "so_to": sheet, "so_thua": parcel,
                "dien_tich": float(areas[row]), "loai_dat": USES[uses[row]], "ngay_do_dac": f"20{10 + row % 15:02}-0{1 + row % 9}-1{row % 10}",
            },
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }  # fmt: skip
        files.setdefault(commune["district_code"], []).append(json.dumps(feature, ensure_ascii=False))
    for district, features in sorted(files.items()):
        text = '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"
        (folder / f"thua-dat-{district}.geojson").write_text(text, encoding="utf-8")
    return ids


def _write_holders(world: World, folder: Path, communes: np.ndarray[tuple[int], np.dtype[np.int64]], ids: list[str]) -> Observed:
    draw = stream(world.seed, "R6", "holders")
    adults = world.persons.filter(pl.col("born_on").dt.year() < 2005)  # of age
    holders = adults.filter(pl.Series(draw.random(adults.height) < COVER["R6"] * 1.4))
    seen = observe(world, "R6", holders)
    parcels = draw.integers(0, len(ids), seen.count)
    order = np.argsort(communes[parcels], kind="stable")
    files: dict[str, list[tuple[str | int, ...]]] = {}
    taken: dict[str, int] = {}
    for row in order.tolist():
        parcel = ids[parcels[row]]
        taken[parcel] = taken.get(parcel, 0) + 1
        district = world.communes[communes[parcels[row]]]["district_code"]
        files.setdefault(district, []).append(
            (
                parcel,
                taken[parcel],
                seen.names[row],
                seen.ids[row],
                seen.born[row],
                seen.addresses[row],
                f"ZZ {100000 + row:06}",
                f"{1 + row % 28:02}/{1 + row % 12:02}/20{8 + row % 17:02}",
            )
        )
    for district, rows in sorted(files.items()):
        _write_workbook(folder / f"chu-su-dung-{district}.xlsx", district, rows)
    return seen


def _write_workbook(path: Path, district: str, rows: list[tuple[str | int, ...]]) -> None:
    """Title rows, a heading of two rows with merged groups, a total at the end: as the office prints it."""
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet("Chủ sử dụng đất")
        bold = book.add_format({"bold": True, "border": 1, "align": "center"})
        sheet.write(0, 0, "SỞ TÀI NGUYÊN VÀ MÔI TRƯỜNG")
        sheet.write(1, 0, f"DANH SÁCH CHỦ SỬ DỤNG ĐẤT – mã huyện {district}")
        for first, last, text in ((1, 2, "Thửa đất"), (3, 6, "Chủ sử dụng"), (7, 8, "Giấy chứng nhận")):
            sheet.merge_range(3, first, 3, last, text, bold)
        sheet.write_row(3, 0, ["STT"], bold)
        sheet.write_row(4, 0, ["", "Mã thửa", "Chủ thứ", "Họ và tên", "Số giấy tờ", "Ngày sinh", "Địa chỉ", "Số", "Ngày cấp"], bold)
        for number, row in enumerate(rows):
            sheet.write(5 + number, 0, number + 1)
            for column, value in enumerate(row):
                if isinstance(value, int):
                    sheet.write_number(5 + number, 1 + column, value)
                else:
                    sheet.write_string(5 + number, 1 + column, value)
        sheet.write(5 + len(rows), 0, "Tổng cộng")
        sheet.write(5 + len(rows), 1, str(len(rows)))

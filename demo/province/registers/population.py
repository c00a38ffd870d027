"""R1, the police's population register: a PostgreSQL database of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import psycopg

from demo.province.base import stream
from demo.province.observed import Observed, observe
from demo.province.rates import DEAD_UNNOTICED, MOVED_OUT_TOLD, OTHER_NAME_TOLD
from demo.province.world import World

FILE = "dan-cu/nhan_khau.csv"
CREATE = """
create schema if not exists cong_dan;
drop table if exists cong_dan.nhan_khau;
create table cong_dan.nhan_khau (
    so_ho_so text primary key,
    so_dinh_danh text,
    ho_va_ten text not null,
    ten_goi_khac text,
    ngay_sinh date,
    nam_sinh integer,
    gioi_tinh smallint,
    dan_toc text,
    ma_xa text,
    ma_ho text,
    dia_chi text,
    so_dien_thoai text,
    tinh_trang text,
    ngay_cap_nhat date
)
"""


def write_population(world: World, out: Path) -> Observed:
    """Write the register as a CSV to be copied into its database."""
    draw = stream(world.seed, "R1", "state")
    seen = observe(world, "R1", world.persons.filter("in_r1"), "old_code")
    full = [text.count("/") == 2 for text in seen.born]  # day, month and year known
    truth = seen.truth
    unnoticed = draw.random(seen.count) < DEAD_UNNOTICED
    dead = (truth["dead_before"] | (truth["died_this_year"] & ~pl.Series(unnoticed))).to_numpy()
    gone = (truth["moved_out"] & ~truth["dead_before"] & ~truth["died_this_year"]).to_numpy() & (draw.random(seen.count) < MOVED_OUT_TOLD)
    updated = np.datetime64("2024-01-01") + draw.integers(0, 540, seen.count).astype("timedelta64[D]")
    updated = np.maximum(updated, truth["born_on"].to_numpy().astype("datetime64[D]"))
    frame = pl.DataFrame(
        {
            "so_ho_so": [f"70{number:08}" for number in range(1, seen.count + 1)],
            "so_dinh_danh": seen.ids,
            "ho_va_ten": seen.names,
            "ten_goi_khac": _other_names(world, truth),
            "ngay_sinh": [_iso(text) if whole else None for text, whole in zip(seen.born, full, strict=True)],
            "nam_sinh": [int(text[-4:]) for text in seen.born],
            "gioi_tinh": [1 if male else 0 for male in seen.truth["is_male"].to_list()],
            "dan_toc": seen.truth["ethnic"],
            "ma_xa": seen.codes,
            "ma_ho": [f"H{household:07}" for household in seen.truth["household"].to_list()],
            "dia_chi": seen.addresses,
            "so_dien_thoai": seen.phones,
            "tinh_trang": np.select([dead, gone, draw.random(seen.count) < 0.03], ["đã chết", "đã chuyển đi", "tạm trú"], "thường trú"),
            "ngay_cap_nhat": pl.Series(updated).cast(pl.Date),
        }
    )
    path = out / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.write_csv(path)
    return seen


def _other_names(world: World, truth: pl.DataFrame) -> list[str | None]:
    """The other name of those who told it, the same in a row typed twice."""
    told = stream(world.seed, "R1", "other names").random(world.persons.height) < OTHER_NAME_TOLD
    return [name if told[person] else None for person, name in truth.select("person", "other_name").iter_rows()]


def _iso(text: str) -> str | None:
    day, month, year = text.split("/")
    try:
        return np.datetime64(f"{year}-{month}-{day}").astype(str)  # type: ignore[no-any-return] # numpy's text of a day
    except ValueError:  # the day and month swapped to a date there is none of: a date column cannot hold it
        return None


def load_population(database_url: str, out: Path) -> int:
    """Fill the police's own database; gives the number of rows."""
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE)
        with cursor.copy("copy cong_dan.nhan_khau from stdin (format csv, header)") as copy, (out / FILE).open("rb") as file:
            while data := file.read(1 << 20):
                copy.write(data)
        row = cursor.execute("select count(*) from cong_dan.nhan_khau").fetchone()
    return 0 if row is None else int(row[0])

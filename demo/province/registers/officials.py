"""R11, officials: the home office's database, of which others read one view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import psycopg

from demo.province.base import stream, table
from demo.province.headers import OFFICIALS
from demo.province.observed import Observed, observe
from demo.province.world import World

FILE = "can-bo/can_bo.csv"
VIEW = "noi_vu.v_can_bo"
RANKS = ("Chuyên viên", "Chuyên viên chính", "Cán sự", "Viên chức hạng III", "Viên chức hạng II")
POSTS = ("Nhân viên", "Chuyên viên", "Phó trưởng phòng", "Trưởng phòng", "Phó giám đốc", "Giám đốc")
CREATE = """
create schema if not exists noi_vu;
drop table if exists noi_vu.can_bo cascade;
create table noi_vu.can_bo (
    ma_cb text primary key, ho_ten text not null, ngay_sinh text, gioi_tinh text, so_dinh_danh text, ma_co_quan text, ngach text,
    chuc_vu text, ngay_tuyen_dung date, dien_thoai text, dia_chi text, ma_xa text, trang_thai text, ngay_cap_nhat date
);
create view noi_vu.v_can_bo as select * from noi_vu.can_bo;
"""


def write_officials(world: World, out: Path) -> Observed:
    """Write the register as a CSV to be copied into its database: who is typed twice has two records, in two bodies."""
    draw = stream(world.seed, "R11", "rows")
    seen = observe(world, "R11", world.persons.filter("in_r11"))
    bodies = [agency["agency_code"] for agency in table("agencies")]
    place, rank, post = (draw.integers(0, high, seen.count) for high in (len(bodies), len(RANKS), len(POSTS)))
    since = np.datetime64("1996-01-01") + draw.integers(0, 10_500, seen.count).astype("timedelta64[D]")
    born = np.array([day.toordinal() - 719_163 for day in seen.truth["born_on"].to_list()]).astype("datetime64[D]")  # days since 1970
    updated = np.datetime64("2025-07-01") + draw.integers(0, 360, seen.count).astype("timedelta64[D]")
    values = (
        [f"CB{900_000 + number}" for number in range(1, seen.count + 1)], seen.names, seen.born, np.where(seen.truth["is_male"], "Nam", "Nữ"), seen.ids,
        [bodies[n] for n in place.tolist()], [RANKS[n] for n in rank.tolist()], [POSTS[n] for n in post.tolist()],
        pl.Series(np.maximum(since, born + np.timedelta64(20 * 366, "D"))).cast(pl.Date), seen.phones, seen.addresses, seen.codes,
        np.where(draw.random(seen.count) < 0.97, "đang công tác", "nghỉ hưu"), pl.Series(updated).cast(pl.Date),
    )  # fmt: skip
    path = out / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(dict(zip(OFFICIALS, values, strict=True))).write_csv(path)
    return seen


def load_officials(database_url: str, out: Path) -> int:
    """Fill the home office's table; gives the number of rows."""
    with psycopg.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE)
        with cursor.copy("copy noi_vu.can_bo from stdin (format csv, header)") as copy, (out / FILE).open("rb") as file:
            while data := file.read(1 << 20):
                copy.write(data)
        row = cursor.execute("select count(*) from noi_vu.can_bo").fetchone()
    return 0 if row is None else int(row[0])

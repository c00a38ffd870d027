"""A million made-up persons, twelve columns, as a CSV any register could send. Same seed, same bytes; ids in ranges that are never issued."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

SURNAMES = [
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Võ",
    "Huỳnh",
    "Bùi",
    "Phan",
    "Hoàng",
    "Vũ",
    "Trương",
    "Đỗ",
    "Đặng",
    "Hồ",
    "Ngô",
    "Dương",
    "Điểu",
]
MIDDLES = ["Văn", "Thị", "Minh", "Ngọc", "Thanh", "Hoàng", "Đức", "Quang", "Quốc", "Xuân", "Hữu", "Thị Thu", "Thị Kim", "Gia", "Bảo"]
GIVENS = [
    "Anh",
    "Huy",
    "Tuấn",
    "Duy",
    "Minh",
    "Dũng",
    "Sơn",
    "Nam",
    "Hùng",
    "Đạt",
    "Linh",
    "Trung",
    "Thành",
    "Hải",
    "Hiếu",
    "Long",
    "Phương",
]
GIVENS += [
    "Tâm",
    "Thắng",
    "Phúc",
    "Hưng",
    "Tiến",
    "An",
    "Vinh",
    "Thịnh",
    "Tài",
    "Khánh",
    "Bảo",
    "Nhân",
    "Hương",
    "Lan",
    "Hoa",
    "Thảo",
    "Trang",
]
COMMUNES = ["25195", "25210", "25217", "25220", "25222", "25225", "25231", "25246", "25252", "25255", "25261", "25267", "25270", "25279"]
ETHNIC = ["Kinh", "S'tiêng", "Tày", "Nùng", "Khmer", "M'nông", "Dao"]
COLUMNS = [
    "so_ho_so",
    "so_dinh_danh",
    "ho_va_ten",
    "ngay_sinh",
    "gioi_tinh",
    "dan_toc",
    "ma_xa",
    "ma_ho",
    "dia_chi",
    "so_dien_thoai",
    "tinh_trang",
    "ngay_cap_nhat",
]


def persons(count: int, seed: int = 1, changed_percent: float = 0.0) -> pl.DataFrame:
    """`count` rows × 12 text columns; `changed_percent` of the rows carry another address and phone than without it."""
    draw = np.random.default_rng(seed)
    number = np.arange(count)
    year = 1940 + draw.integers(0, 85, count)
    sex = draw.integers(0, 2, count)
    dates = pl.DataFrame({"y": year, "m": draw.integers(1, 13, count), "d": draw.integers(1, 29, count)})
    born = dates.select(pl.date("y", "m", "d")).to_series()
    century_sex = np.where(year >= 2000, 2, 0) + sex
    frame = pl.DataFrame(
        {
            "n": number,
            "cs": century_sex,
            "yy": year % 100,
            "surname": np.array(SURNAMES)[(draw.beta(0.6, 3, count) * len(SURNAMES)).astype(int)],
            "middle": np.array(MIDDLES)[draw.integers(0, len(MIDDLES), count)],
            "given": np.array(GIVENS)[draw.integers(0, len(GIVENS), count)],
            "sex": np.where(sex == 0, "Nam", "Nữ"),
            "ethnic": np.array(ETHNIC)[(draw.beta(0.4, 4, count) * len(ETHNIC)).astype(int)],
            "commune": np.array(COMMUNES)[draw.integers(0, len(COMMUNES), count)],
            "house": draw.integers(1, 900, count),
            "street": draw.integers(1, 40, count),
            "phone": draw.integers(10_000_000, 99_999_999, count),
            "moved": draw.random(count) < changed_percent / 100,
        }
    )
    return frame.select(
        ("HS" + _padded(pl.col("n"), 9)).alias("so_ho_so"),
        ("097" + pl.col("cs").cast(pl.String) + _padded(pl.col("yy"), 2) + _padded(pl.col("n") % 1_000_000, 6)).alias("so_dinh_danh"),
        pl.concat_str(["surname", "middle", "given"], separator=" ").alias("ho_va_ten"),
        born.dt.strftime("%d/%m/%Y").alias("ngay_sinh"),
        pl.col("sex").alias("gioi_tinh"),
        pl.col("ethnic").alias("dan_toc"),
        pl.col("commune").alias("ma_xa"),
        ("H" + (pl.col("n") // 4).cast(pl.String).str.zfill(8)).alias("ma_ho"),
        pl.format("Số {} đường {}", pl.when("moved").then(pl.col("house") + 900).otherwise("house"), "street").alias("dia_chi"),
        pl.format("06{}", "phone").alias("so_dien_thoai"),
        pl.lit("thường trú").alias("tinh_trang"),
        pl.lit("30/06/2026").alias("ngay_cap_nhat"),
    )


def write(path: Path, count: int, *, seed: int = 1, changed_percent: float = 0.0, order: int = 0, part_rows: int = 1_000_000) -> Path:
    """Write a CSV; more rows than `part_rows` are written a part at a time, each with its own numbers. `order`: another one for each number."""
    with path.open("wb") as file:
        for part, start in enumerate(range(0, count, part_rows)):
            frame = persons(min(part_rows, count - start), seed + part, changed_percent)
            if start:
                frame = frame.with_columns(
                    ("HS" + (pl.col("so_ho_so").str.slice(2).cast(pl.Int64) + start).cast(pl.String).str.zfill(9)).alias("so_ho_so")
                )
            if order:
                frame = frame.sample(fraction=1.0, shuffle=True, seed=order)
            frame.write_csv(file, include_header=start == 0)
    return path


def _padded(number: pl.Expr, width: int) -> pl.Expr:
    return number.cast(pl.String).str.zfill(width)

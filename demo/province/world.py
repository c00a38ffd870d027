"""The true world as of 30 June 2025 (Bình Phước's last day) and the identifiers that can never be real.

Personal ids begin with 097 (never assigned), old ids with 00, tax codes with 00, insurance numbers with 99, phones with 06.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.random import Generator

from demo.province.base import shares, stream, table
from demo.province.lives import OF_AGE, with_lives
from demo.province.rates import BORN_ELSEWHERE, COVER, MEAN_HOUSEHOLD, OTHER_NAME_PERCENT, OUTSIDERS_PERCENT, TWIN_PERCENT

WORLD_DAY = date(2025, 6, 30)
LAST_DAY = date(2026, 6, 30)
SIZES = ((1, 0.09), (2, 0.14), (3, 0.22), (4, 0.27), (5, 0.16), (6, 0.08), (7, 0.04))
ETHNIC = (("Kinh", 0.80), ("S'tiêng", 0.09), ("Tày", 0.03), ("Nùng", 0.03), ("Khmer", 0.025), ("M'nông", 0.015), ("Dao", 0.01))
ETHNIC_KEYS = {"Tày": "tay", "Nùng": "nung", "Khmer": "khmer", "Dao": "dao"}
PLACES = ("Hai", "Ba", "Tư", "Năm", "Sáu", "Bảy", "Tám", "Chín", "Mười", "Út")  # in the South the first child is the second
BY_PLACE = 0.6  # of other names; the rest are given names like any
OWN_MIDDLE = 0.5  # of other names keep the middle name; the rest have the usual one of the sex
LEAST_IN_COMMUNE = 60
SIX_DIGITS = 1_000_000  # at the end of a personal id
OTHER_HOMES = (
    "Phường Thủ Dầu Một, Thành phố Hồ Chí Minh", "Phường Dĩ An, Thành phố Hồ Chí Minh", "Phường Gò Vấp, Thành phố Hồ Chí Minh",
    "Phường Tân Ninh, tỉnh Tây Ninh", "Phường Buôn Ma Thuột, tỉnh Đắk Lắk",
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """Persons with all that is true of them; communes in the order of `commune` numbers.

    `persons` live in the province; `insured_outsiders` and `land_outsiders` live elsewhere and are in one register alone.
    """

    seed: int
    persons: pl.DataFrame
    insured_outsiders: pl.DataFrame
    land_outsiders: pl.DataFrame
    events: pl.DataFrame
    communes: tuple[dict[str, str], ...]


def build_world(count: int, seed: int) -> World:
    """`count` persons in households, each in a commune, and those from elsewhere whom two of the registers know."""
    communes = table("communes")
    draw = stream(seed, "world", "households")
    insured = round(count * COVER["R2"] * OUTSIDERS_PERCENT["R2"] / 100)
    with_land = round(count * COVER["R6"] * OUTSIDERS_PERCENT["R6"] / 100)
    everyone = count + insured + with_land
    sizes = draw.choice([n for n, _ in SIZES], round(everyone / MEAN_HOUSEHOLD * 1.06) + 9, p=[p for _, p in SIZES])
    sizes = sizes[: np.searchsorted(np.cumsum(sizes), everyone) + 1]
    homes = _homes(len(sizes), communes, draw)
    household = np.repeat(np.arange(len(sizes)), sizes)
    place = np.arange(len(household)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    found = _persons(household, place, homes, draw, seed).head(everyone)
    found = found.with_columns(_other_names(found, seed))
    persons, events = with_lives(found.head(count).with_columns(pl.lit("").alias("home")), seed)
    elsewhere = pl.Series(OTHER_HOMES)[stream(seed, "world", "elsewhere").integers(0, len(OTHER_HOMES), insured + with_land)]
    outsiders = found.tail(insured + with_land).with_columns(elsewhere.alias("home"))
    return World(seed, persons, outsiders.head(insured), outsiders.tail(with_land), events, communes)


def _homes(count: int, communes: tuple[dict[str, str], ...], draw: Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The commune of each household, by population of 2009; in a small province every commune still has people."""
    weights = shares([float(c["population_2009"] or 7000) for c in communes])
    least = min(LEAST_IN_COMMUNE // 3, count // (2 * len(communes)))
    fixed = np.repeat(np.arange(len(communes)), least)
    drawn = draw.choice(len(communes), count - len(fixed), p=weights)
    homes: np.ndarray[tuple[int], np.dtype[np.int64]] = draw.permutation(np.concatenate([fixed, drawn]))
    return homes


def _persons(
    household: np.ndarray[tuple[int], np.dtype[np.int64]], place: np.ndarray[tuple[int], np.dtype[np.int64]],
    homes: np.ndarray[tuple[int], np.dtype[np.int64]], draw: Generator, seed: int,
) -> pl.DataFrame:  # fmt: skip
    count, houses = len(household), len(homes)
    head_age = draw.normal(43.5, 16.5, houses)
    head_age = np.where(head_age < 20, stream(seed, "world", "young heads").uniform(20, 32, houses), np.minimum(head_age, 92))[household]
    head_male = (draw.random(houses) < 0.78)[household]
    spouse = place == 1
    child = place >= 2  # after the head and the spouse
    age = np.where(
        place == 0,
        head_age,
        np.where(spouse, head_age + draw.normal(-3, 3, count), head_age - 26 - 3.2 * (place - 2) + draw.normal(0, 2, count)),
    )
    grandparent = child & (draw.random(count) < 0.13)
    age = np.where(grandparent, head_age + 26 + draw.normal(0, 3, count), age)
    infant = stream(seed, "world", "infants").uniform(0.02, 1, count) * np.clip(head_age - 19, 0.5, 12)  # heads too young for one so old
    age = np.where(age < 0.02, infant, np.minimum(age, 102))
    male = np.where(place == 0, head_male, np.where(spouse, ~head_male, draw.random(count) < 0.51))
    born_day = np.floor(-age * 365.2425).astype(int)
    twin = child & (draw.random(count) < TWIN_PERCENT / 100 * 2) & (np.roll(household, 1) == household) & (place > 2)
    born_day = np.where(twin, np.roll(born_day, 1), born_day)
    born = pl.Series(np.datetime64(WORLD_DAY) + born_day.astype("timedelta64[D]")).cast(pl.Date)
    year = born.dt.year().to_numpy()
    ethnic = np.array([name for name, _ in ETHNIC])[draw.choice(len(ETHNIC), houses, p=shares([p for _, p in ETHNIC]))][household]
    names = _names(household, place, male, year, ethnic, stream(seed, "world", "names"))
    for part in ("surname", "middle"):  # twins differ by one word
        names[part] = np.where(twin & (male == np.roll(male, 1)), np.roll(names[part], 1), names[part])
    number = np.arange(count)
    born_elsewhere = draw.random(count) < BORN_ELSEWHERE
    born_elsewhere[SIX_DIGITS:] = ~born_elsewhere[: max(count - SIX_DIGITS, 0)]  # the same six digits never meet in one place
    century = np.where(year >= 2000, 2, 0) + np.where(male, 0, 1)
    return pl.DataFrame(
        {
            "person": number,
            "household": household,
            "place": place,
            "commune": homes[household],
            "is_male": male,
            "born_on": born,
            "ethnic": ethnic,
            "is_twin": twin,
            "number": number,
            "born_elsewhere": born_elsewhere,
            "century": century,
            "year": year,
            "house": draw.integers(1, 400, houses)[household],
            "hamlet": draw.integers(1, 12, houses)[household],
            "phone": draw.integers(10_000_000, 100_000_000, count),
            **names,
        }
    ).select(
        "person", "household", "place", "commune", "is_male", "born_on", "ethnic", "is_twin", "surname", "middle", "given",
        pl.concat_str([pl.col("surname"), pl.when(pl.col("middle") != "").then("middle"), pl.col("given")], separator=" ", ignore_nulls=True).alias("name"),
        pl.concat_str(
            [
                pl.when("born_elsewhere").then(pl.lit("098")).otherwise(pl.lit("097")),
                pl.col("century").cast(pl.String),
                (pl.col("year") % 100).cast(pl.String).str.zfill(2),
                (pl.col("number") % SIX_DIGITS).cast(pl.String).str.zfill(6),
            ]
        ).alias("citizen_id"),
        ("99" + (pl.col("number") * 7 % 100_000_000).cast(pl.String).str.zfill(8)).alias("insurance_no"),
        ("06" + pl.col("phone").cast(pl.String)).alias("phone"),
        "house", "hamlet",
    )  # fmt: skip


def _names(
    household: np.ndarray[tuple[int], np.dtype[np.int64]], place: np.ndarray[tuple[int], np.dtype[np.int64]],
    male: np.ndarray[tuple[int], np.dtype[np.bool_]], year: np.ndarray[tuple[int], np.dtype[np.int64]],
    ethnic: np.ndarray[tuple[int], np.dtype[np.str_]], draw: Generator,
) -> dict[str, np.ndarray[tuple[int], np.dtype[np.str_]]]:  # fmt: skip
    """Surname of the house for head and children, the spouse's own; middle and given names by sex and time of birth."""
    count = len(household)
    rows = table("surnames")
    south, north = shares([float(r["south"]) for r in rows]), shares([float(r["north"]) for r in rows])
    surnames = np.array([r["surname"] for r in rows])
    houses = household[-1] + 1
    of_house = surnames[draw.choice(len(rows), houses, p=0.7 * south + 0.3 * north)][household]
    own = surnames[draw.choice(len(rows), count, p=0.7 * south + 0.3 * north)]
    keeps_own = (place == 1) | (draw.random(count) < 0.05)
    surname = np.where(keeps_own, own, of_house)
    for group, key in ETHNIC_KEYS.items():
        choices = np.array([r["surname"] for r in table("ethnic_surnames") if r["ethnic_group"] == key])
        surname = np.where(ethnic == group, choices[draw.integers(0, len(choices), houses)][household], surname)
    hill = (ethnic == "S'tiêng") | (ethnic == "M'nông")
    surname = np.where(hill, np.where(male, "Điểu", "Thị"), surname)
    middle, given = _by_sex("middle_names", "middle", male, draw), _by_sex("given_names", "given", male, draw)
    share_thi = np.clip(0.75 - (year - 1970) * 0.018, 0.12, 0.75)
    share_van = np.clip(0.45 - (year - 1965) * 0.010, 0.06, 0.45)
    chance = draw.random(count)
    starts = np.char.startswith(middle.astype(str), "Thị")
    middle = np.where(~male & (chance < share_thi) & ~starts, "Thị", np.where(~male & (chance >= share_thi) & starts, "Ngọc", middle))
    middle = np.where(male & (chance < share_van), "Văn", middle)
    return {"surname": surname, "middle": np.where(hill, "", middle), "given": given}


def _other_names(persons: pl.DataFrame, seed: int) -> pl.Series:
    """What some of the grown are also called: their surname with their place among the children, or with another given name; null for all others."""
    draw, count, men = stream(seed, "world", "other names"), persons.height, persons["is_male"].to_numpy()
    own = persons["middle"].to_numpy()
    middle = np.where((own == "") | (draw.random(count) < OWN_MIDDLE), own, np.where(men, "Văn", "Thị"))
    by_place = np.array(PLACES)[draw.integers(0, len(PLACES), count)]
    called = np.where(draw.random(count) < BY_PLACE, by_place, _by_sex("given_names", "given", men, draw))
    also = persons.select(
        "surname",
        "name",
        "born_on",
        pl.Series("middle", middle.astype(str)),
        pl.Series("called", called.astype(str)),
        chance=draw.random(count),
    )
    name = pl.concat_str("surname", pl.when(pl.col("middle") != "").then("middle"), "called", separator=" ", ignore_nulls=True)
    has_one = (pl.col("chance") < OTHER_NAME_PERCENT / 100) & (pl.col("born_on").dt.year() < OF_AGE) & (name != pl.col("name"))
    return also.select(pl.when(has_one).then(name).alias("other_name")).to_series()


def _by_sex(
    name: str, column: str, male: np.ndarray[tuple[int], np.dtype[np.bool_]], draw: Generator
) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    rows = table(name)
    values = np.array([r[column] for r in rows])
    counts, female = np.array([float(r["count"]) for r in rows]), np.array([float(r["p_female"]) for r in rows])
    of_women = values[draw.choice(len(rows), len(male), p=shares(list(counts * female**1.5 / (1.0001 - female) ** 0.5)))]
    of_men = values[draw.choice(len(rows), len(male), p=shares(list(counts * (1 - female))))]
    return np.where(male, of_men, of_women)


def commune_text(commune: dict[str, str], *, is_new: bool) -> str:
    """The unit as an address ends: of before 1 July 2025, or of today."""
    return f"{commune['new_name']}, tỉnh Đồng Nai" if is_new else f"{commune['old_name']}, {commune['district_name']}, tỉnh Bình Phước"

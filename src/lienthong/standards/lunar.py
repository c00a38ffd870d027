"""The Vietnamese lunar calendar, computed: true new moons and the sun's longitude, both at Vietnam's midnight (UTC+7).

The algorithm is Hồ Ngọc Đức's (informatik.uni-leipzig.de/~duc/amlich), whose series are Jean Meeus's, *Astronomical Algorithms* (1998).
A month begins on the day of a new moon; the month with the winter solstice is the eleventh; of thirteen months between two
elevenths, the first without a principal term is the leap month. Right for 1900–2100; China's calendar differs in some years.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from math import floor, pi, sin

HOURS_EAST = 7.0
MEAN_MONTH_DAYS = 29.530588853
FIRST_MOON_DAYS = 2_415_021.076998695  # Julian day of the new moon numbered 0, on 31 December 1899
ORDINAL_OF_JULIAN_DAY_0 = -1_721_425  # `date.fromordinal(jdn + this)`


@lru_cache(maxsize=1_000)
def solar_date(lunar_day: int, lunar_month: int, lunar_year: int) -> date:
    """The date of a day of an ordinary (not a leap) lunar month; month 1, day 1 is Tết of that year."""
    eleventh = _eleventh_month(lunar_year if lunar_month >= 11 else lunar_year - 1)
    after = _eleventh_month(lunar_year + 1 if lunar_month >= 11 else lunar_year)
    offset = (lunar_month - 11) % 12
    if after - eleventh > 365 and offset >= _leap_offset(eleventh):
        offset += 1
    moon = floor(0.5 + (eleventh - FIRST_MOON_DAYS) / MEAN_MONTH_DAYS)
    return date.fromordinal(_new_moon_day(moon + offset) + lunar_day - 1 + ORDINAL_OF_JULIAN_DAY_0)


def _new_moon_day(number: int) -> int:
    """The Julian day number, in Vietnam, of a new moon counted from `FIRST_MOON_DAYS`."""
    t = number / 1236.85  # Julian centuries since 1900
    t2, t3, rad = t * t, t * t * t, pi / 180
    mean = 2_415_020.75933 + 29.53058868 * number + 0.0001178 * t2 - 0.000000155 * t3
    mean += 0.00033 * sin((166.56 + 132.87 * t - 0.009173 * t2) * rad)
    sun = (359.2242 + 29.10535608 * number - 0.0000333 * t2 - 0.00000347 * t3) * rad
    moon = (306.0253 + 385.81691806 * number + 0.0107306 * t2 + 0.00001236 * t3) * rad
    node = (21.2964 + 390.67050646 * number - 0.0016528 * t2 - 0.00000239 * t3) * rad
    c = (0.1734 - 0.000393 * t) * sin(sun) + 0.0021 * sin(2 * sun) - 0.4068 * sin(moon) + 0.0161 * sin(2 * moon)
    c += -0.0004 * sin(3 * moon) + 0.0104 * sin(2 * node) - 0.0051 * sin(sun + moon) - 0.0074 * sin(sun - moon)
    c += 0.0004 * sin(2 * node + sun) - 0.0004 * sin(2 * node - sun) - 0.0006 * sin(2 * node + moon)
    c += 0.0010 * sin(2 * node - moon) + 0.0005 * sin(2 * moon + sun)
    if t < -11:
        delta = 0.001 + 0.000839 * t + 0.0002261 * t2 - 0.00000845 * t3 - 0.000000081 * t * t3
    else:
        delta = -0.000278 + 0.000265 * t + 0.000262 * t2
    return floor(mean + c - delta + 0.5 + HOURS_EAST / 24)


def _sun_sector(day: int) -> int:
    """Which twelfth of the ecliptic the sun is in at Vietnam's midnight of a Julian day: 0 from the spring equinox, 9 from the winter solstice."""
    t = (day - 0.5 - HOURS_EAST / 24 - 2_451_545.0) / 36_525
    t2, rad = t * t, pi / 180
    anomaly = (357.52910 + 35_999.05030 * t - 0.0001559 * t2 - 0.00000048 * t * t2) * rad
    longitude = 280.46645 + 36_000.76983 * t + 0.0003032 * t2
    longitude += (1.914600 - 0.004817 * t - 0.000014 * t2) * sin(anomaly)
    longitude += (0.019993 - 0.000101 * t) * sin(2 * anomaly) + 0.000290 * sin(3 * anomaly)
    longitude *= rad
    longitude -= 2 * pi * floor(longitude / (2 * pi))
    return floor(longitude / pi * 6)


@lru_cache(maxsize=500)
def _eleventh_month(year: int) -> int:
    """The Julian day number on which the month with the winter solstice of a year begins."""
    last_day = date(year, 12, 31).toordinal() - ORDINAL_OF_JULIAN_DAY_0
    moon = floor((last_day - 2_415_021) / MEAN_MONTH_DAYS)
    begins = _new_moon_day(moon)
    return _new_moon_day(moon - 1) if _sun_sector(begins) >= 9 else begins


def _leap_offset(eleventh: int) -> int:
    """How many months after the eleventh the leap month is, in a year that has one."""
    moon = floor((eleventh - FIRST_MOON_DAYS) / MEAN_MONTH_DAYS + 0.5)
    sector, number = _sun_sector(_new_moon_day(moon + 1)), 1
    while number < 14:
        number += 1
        before, sector = sector, _sun_sector(_new_moon_day(moon + number))
        if sector == before:
            break
    return number - 1

"""R12, environment: 24 stations, eight values an hour, one CSV an hour, with the faults sensors have."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from demo.province.base import stream, table
from demo.province.headers import READINGS
from demo.province.rates import READING_FAULTS

FOLDER = "quan-trac"
STATIONS = 24
# indicator: unit, mean, daily swing, wet-season level, noise. Shapes of a southern highland: dry December to April, wet May to November.
INDICATORS = {
    "PM2.5": ("µg/m³", 22.0, 6.0, 0.7, 4.0), "PM10": ("µg/m³", 38.0, 9.0, 0.7, 6.0), "NO2": ("µg/m³", 14.0, 5.0, 0.9, 2.5), "SO2": ("µg/m³", 6.0, 1.5, 0.9, 1.0),
    "CO": ("µg/m³", 310.0, 80.0, 0.9, 40.0), "O3": ("µg/m³", 46.0, 22.0, 0.85, 7.0), "TEMP": ("°C", 27.2, 4.2, 0.98, 0.5), "HUMIDITY": ("%", 74.0, -13.0, 1.1, 3.0),
}  # fmt: skip
FIRST_HOUR = datetime(2026, 6, 24, 0)
LAST_HOUR = datetime(2026, 6, 30, 23)
PEAK_HOUR = 14
GAP_HOURS, STUCK_HOURS = 4, 6
FAST_CLOCK = "QT09"  # one hour off
OTHER_UNIT, OTHER_UNIT_DAYS = "QT05", (datetime(2026, 6, 18), datetime(2026, 6, 27))  # mg for µg, nine days


def stations() -> list[tuple[str, str]]:
    """(station, commune today): spread over the communes."""
    communes = table("communes")
    return [(f"QT{n + 1:02}", communes[n * len(communes) // STATIONS]["new_code"]) for n in range(STATIONS)]


def write_hour(out: Path, hour: datetime, seed: int = 1) -> Path:
    """The file of one hour, written whole or not at all; the same hour gives the same file."""
    draw = stream(seed, "R12", hour.isoformat())
    is_wet = 5 <= hour.month <= 11  # May to November
    lines = [";".join(READINGS)]
    for station, commune in stations():
        if _is_in_run(seed, f"gap {station}", hour, GAP_HOURS, READING_FAULTS["gap"]):
            continue
        shown = hour + timedelta(hours=1) if station == FAST_CLOCK else hour
        for name, (unit, mean, swing, wet, noise) in INDICATORS.items():
            stuck = _is_in_run(seed, f"stuck {station} {name}", hour, STUCK_HOURS, READING_FAULTS["stuck"])
            moment = _run_start(hour, STUCK_HOURS) if stuck else hour
            chance = stream(seed, "R12", f"{station} {name} {moment.isoformat()}") if stuck else draw
            wave = math.cos((moment.hour - PEAK_HOUR) / 24 * 2 * math.pi)
            value = (mean + swing * wave) * (wet if is_wet else 1.0) + chance.normal(0, noise)
            if draw.random() < READING_FAULTS["spike"] / 100:
                value *= 40
            text = f"{max(value, 0.1):.1f}"
            if station == OTHER_UNIT and unit == "µg/m³" and OTHER_UNIT_DAYS[0] <= hour < OTHER_UNIT_DAYS[1]:
                text, unit = f"{float(text) / 1000:.5f}", "mg/m³"
            line = f"{station};{name};{shown:%d/%m/%Y %H:%M};{text.replace('.', ',')};{unit};{commune}"
            lines.append(line)
            if draw.random() < READING_FAULTS["repeated"] / 100:
                lines.append(line)
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"qt-{hour:%Y%m%d-%H}.csv"
    fresh = path.with_suffix(".part")
    fresh.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    fresh.replace(path)
    return path


def _run_start(hour: datetime, hours: int) -> datetime:
    return hour - timedelta(hours=hour.hour % hours)


def _is_in_run(seed: int, what: str, hour: datetime, hours: int, percent: float) -> bool:
    """Faults come in runs of hours; each run is drawn by itself, so that any hour can be written alone."""
    return _is_faulty(seed, f"{what} {_run_start(hour, hours).isoformat()}", percent)


@lru_cache(maxsize=1024)
def _is_faulty(seed: int, run: str, percent: float) -> bool:
    return bool(stream(seed, "R12", run).random() < percent / 100)


def write_readings(out: Path, seed: int) -> int:
    """The last seven days, an hour a file; gives the number of files."""
    hours = int((LAST_HOUR - FIRST_HOUR).total_seconds() // 3600) + 1
    for n in range(hours):
        write_hour(out, FIRST_HOUR + timedelta(hours=n), seed)
    return hours

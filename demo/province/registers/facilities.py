"""Places of health care, as the health department lists them."""

from __future__ import annotations

import csv
from pathlib import Path

from demo.province.base import stream
from demo.province.headers import HEALTH_FACILITIES
from demo.province.registers.indicators import districts
from demo.province.world import World, commune_text

FILE = "y-te/co-so-kham-chua-benh.csv"


def write_facilities(world: World, out: Path) -> int:
    """A hospital of the province, a centre a district, a station a commune, and private clinics; gives their number."""
    draw = stream(world.seed, "health", "facilities")
    first = {unit["district_code"]: number for number, unit in reversed(list(enumerate(world.communes)))}
    found: list[tuple[str, str, int, int]] = [
        ("Bệnh viện", "Bệnh viện Đa khoa tỉnh Bình Phước", first["689"], 600),
        ("Bệnh viện", "Bệnh viện Y học cổ truyền", first["689"], 120),
    ]
    found += [("Trung tâm y tế", f"Trung tâm Y tế {name}", first[code], 100 + int(draw.integers(0, 12)) * 10) for code, name in districts()]
    found += [("Trạm y tế", f"Trạm Y tế {unit['old_name']}", number, 5) for number, unit in enumerate(world.communes)]
    found += [("Phòng khám tư nhân", f"Phòng khám đa khoa Mẫu {n + 1}", int(draw.integers(0, len(world.communes))), 0) for n in range(40)]
    path = out / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(HEALTH_FACILITIES)
        for number, (kind, name, commune, beds) in enumerate(found, 1):
            unit = world.communes[commune]
            doctors = max(1, beds // 6) if kind != "Trạm y tế" else int(draw.integers(0, 3))
            writer.writerow(
                (
                    f"70{number:03}",
                    name,
                    kind,
                    commune_text(unit, is_new=True),
                    unit["new_code"],
                    "2025-07-01",
                    beds,
                    doctors,
                    f"06{draw.integers(10_000_000, 100_000_000)}",
                )
            )
    return len(found)

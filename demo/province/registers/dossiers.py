"""Dossiers of administrative procedures, as the one-stop system tells them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl

from demo.province.base import stream
from demo.province.headers import DOSSIERS
from demo.province.rates import DOSSIERS_A_PERSON, DOSSIERS_LATE
from demo.province.services import write_service
from demo.province.world import World

FILE = "dich-vu/ho-so-tthc.json"
FIRST, DAYS = date(2026, 1, 1), 180
SEEN_ON = date(2026, 6, 30)
PROCEDURES = (  # code, name, body, working days it may take, steps
    ("1.004873", "Cấp bản sao trích lục hộ tịch", "H10.03", 1, 2), ("1.001193", "Đăng ký khai sinh", "H10.03", 1, 3),
    ("2.000889", "Đăng ký biến động quyền sử dụng đất", "H10.10", 10, 5), ("1.011616", "Cấp đổi giấy chứng nhận", "H10.10", 14, 5),
    ("2.001610", "Đăng ký thành lập doanh nghiệp", "H10.04", 3, 3), ("1.001612", "Đăng ký thành lập hộ kinh doanh", "H10.04", 3, 3),
    ("1.001776", "Quyết định trợ cấp xã hội hằng tháng", "H10.12", 15, 6), ("1.003572", "Cấp giấy phép xây dựng", "H10.09", 20, 6),
    ("1.012075", "Chuyển trường đối với học sinh", "H10.15", 5, 3), ("1.012289", "Cấp giấy phép hành nghề khám chữa bệnh", "H10.16", 15, 5),
)  # fmt: skip


def write_dossiers(world: World, out: Path) -> int:
    """Half a year's dossiers; gives their number."""
    draw = stream(world.seed, "dossiers", "rows")
    count = max(260, round(world.persons.height * DOSSIERS_A_PERSON))
    adults = world.persons.filter((pl.col("born_on").dt.year() < 2007) & ~pl.col("dead_before"))
    who, kind = (
        draw.integers(0, adults.height, count),
        draw.choice(len(PROCEDURES), count, p=[0.22, 0.12, 0.18, 0.07, 0.05, 0.06, 0.07, 0.06, 0.09, 0.08]),
    )
    day, late, pace = draw.integers(0, DAYS, count), draw.random(count) < DOSSIERS_LATE, draw.random(count)
    names, ids, communes = (adults[name].to_list() for name in ("name", "citizen_id", "commune"))
    of_day: dict[tuple[str, int], int] = {}
    rows = []
    for n in range(count):
        code, title, body, days, steps = PROCEDURES[int(kind[n])]
        received = FIRST + timedelta(int(day[n]))
        due = received + timedelta(days + 2 * (days // 5 + 1))
        ended = due + timedelta(1 + int(pace[n] * 12)) if late[n] else received + timedelta(int(pace[n] * (due - received).days))
        is_done = ended <= SEEN_ON
        order = of_day[body, int(day[n])] = of_day.get((body, int(day[n])), 0) + 1
        unit = world.communes[communes[int(who[n])]]
        values = (
            f"{body}.TEST-{received:%y%m%d}-{900_000 + order}", code, title, body, names[int(who[n])], ids[int(who[n])], unit["new_code"], received.isoformat(),
            due.isoformat() if n % 211 else (received - timedelta(3)).isoformat(), ended.isoformat() if is_done else None, str(steps),
            str(steps if is_done else 1 + n % steps), "Đã trả kết quả" if is_done and n % 23 else "Từ chối" if is_done else "Đang xử lý",
            "Trực tuyến" if pace[n] > 0.35 else "Trực tiếp",
        )  # fmt: skip
        rows.append(dict(zip(DOSSIERS, values, strict=True)))
    write_service(out / FILE, rows)
    return count

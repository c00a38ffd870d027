"""Public investment: projects with their plan of the year, and what was paid out month by month, as the planning office keeps them in Excel."""

from __future__ import annotations

from pathlib import Path

from demo.province.base import stream, table
from demo.province.headers import PROJECTS
from demo.province.workbooks import Cell, Sheet, write_workbook
from demo.province.world import World

FOLDER = "dau-tu-cong"
PROJECT_COUNT = 320
YEAR, MONTHS = 2026, 6
CHANGE = (2025, 7)  # from here on the codes of today
KINDS = (
    "Đường giao thông",
    "Trường học",
    "Trạm y tế",
    "Hồ chứa nước",
    "Trụ sở làm việc",
    "Điện chiếu sáng",
    "Cầu dân sinh",
    "Khu tái định cư",
)
GROUPS = (("A", 600_000), ("B", 90_000), ("C", 18_000))  # and the mean of their totals, million đồng
SOURCES = ("Ngân sách trung ương", "Ngân sách tỉnh", "Ngân sách huyện", "Vốn ODA")


def write_projects(world: World, out: Path) -> tuple[int, int]:
    """Two workbooks; gives (projects, months paid)."""
    draw = stream(world.seed, "investment", "projects")
    investors = [a["agency_code"] for a in table("agencies") if a["kind"] in ("department", "board", "district_committee")]
    projects: list[list[Cell]] = []
    months: list[list[Cell]] = []
    for number in range(PROJECT_COUNT):
        unit = world.communes[int(draw.integers(0, len(world.communes)))]
        group, mean = GROUPS[int(draw.choice(3, p=[0.04, 0.3, 0.66]))]
        total = round(mean * (0.4 + 1.2 * draw.random()), 1)
        begun = YEAR - int(draw.integers(0, 4))
        plan = round(total * (0.15 + 0.3 * draw.random()), 1)
        code = f"DA-{900_001 + number}"
        projects.append([
            number + 1, code, f"{KINDS[number % len(KINDS)]} {unit['old_name']}", investors[number % len(investors)], group, SOURCES[int(draw.integers(0, 4))],
            _typed(total, number), _typed(plan, number + 3), unit["old_code" if (begun, 1 + number % 12) < CHANGE else "new_code"], f"01/{1 + number % 12:02}/{begun}", f"31/12/{begun + 1 + number % 4}",
            "Đang thực hiện" if number % 9 else "Chậm tiến độ",
        ])  # fmt: skip
        pace = 0.02 + 0.14 * draw.random()
        paid: list[Cell] = [
            round(plan * pace * (0.4 + 1.2 * draw.random()), 1) if number % 17 or month > 2 else None for month in range(MONTHS)
        ]
        months.append([code, *paid])
    head: list[list[Cell]] = [
        ["SỞ KẾ HOẠCH VÀ ĐẦU TƯ"],
        [f"KẾ HOẠCH VỐN ĐẦU TƯ CÔNG NĂM {YEAR}"],
        ["Đơn vị tính: triệu đồng"],
        ["STT", *PROJECTS],
    ]
    write_workbook(
        out / FOLDER / f"du-an-{YEAR}.xlsx",
        [Sheet("Dự án", [*head, *projects, ["Tổng cộng", PROJECT_COUNT]], frozenset({2, 4}), ("A2:H2",))],
    )
    table_head: list[list[Cell]] = [
        ["KẾT QUẢ GIẢI NGÂN VỐN ĐẦU TƯ CÔNG"], ["Đơn vị tính: triệu đồng"], [None, "Tháng"], ["Mã dự án", *(f"{month:02}/{YEAR}" for month in range(1, MONTHS + 1))],
    ]  # fmt: skip
    write_workbook(
        out / FOLDER / f"giai-ngan-{YEAR}.xlsx", [Sheet("Giải ngân", [*table_head, *months, ["Tổng số"]], frozenset({1, 4}), ("B3:G3",))]
    )
    return len(projects), PROJECT_COUNT * MONTHS


def _typed(value: float, number: int) -> Cell:
    """Now and then a figure is text, with a comma."""
    return f"{value:.1f}".replace(".", ",") if number % 11 == 5 else value

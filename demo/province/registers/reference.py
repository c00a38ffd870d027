"""Real reference data: units of administration before and after 1 July 2025, agencies of the province and of the centre, and the code lists."""

from __future__ import annotations

import csv
import gzip
import io
from importlib import resources
from pathlib import Path

from demo.province.base import table
from demo.province.headers import AGENCIES, ENTRIES, UNIT_CHANGES, UNITS
from lienthong.standards.admin_units import units
from lienthong.standards.code_lists import LISTS, entries

PROVINCE_SINCE = "1997-01-01"  # Sông Bé was divided
CENTRAL_SINCE = "2025-03-01"  # social insurance and statistics came under the Ministry of Finance
# Agencies of the centre that own datasets here, as rows of `agencies.csv.gz`. G01 and G12 are the codes the ministries were given under
# Quyết định 20/2020/QĐ-TTg; those of their branches in the province are assumed.
CENTRAL = (
    ("G01", "Bộ Công an", "ministry", "BCA", "", "", "published", "", PROVINCE_SINCE, ""),
    ("G01.70", "Công an tỉnh", "branch", "CAT", "", "G01", "code assumed", "", PROVINCE_SINCE, ""),
    ("G12", "Bộ Tài chính", "ministry", "BTC", "", "", "published", "", PROVINCE_SINCE, ""),
    ("G12.70.01", "Bảo hiểm xã hội tỉnh", "branch", "BHXH", "", "G12", "code assumed", "", CENTRAL_SINCE, ""),
    ("G12.70.02", "Thống kê tỉnh", "branch", "TK", "", "G12", "code assumed", "", CENTRAL_SINCE, ""),
)
PROVINCES = {"70", "75"}  # Bình Phước and Đồng Nai: together the Đồng Nai of today


def write_reference(out: Path) -> tuple[int, int, int]:
    """Write units, changes, agencies and code lists; gives the number of rows of the first three."""
    folder = out / "don-vi-hanh-chinh"
    folder.mkdir(parents=True, exist_ok=True)
    kept = [u for u in units() if u.level == "province" or u.province_code in PROVINCES]
    with (folder / "units.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(UNITS)
        writer.writerows((u.level, u.code, u.name, u.district_code, u.province_code, u.valid_from, u.valid_to or "") for u in kept)
    codes = {u.code for u in kept if u.valid_to is not None}
    data = gzip.decompress(resources.files("lienthong.standards").joinpath("data/admin_unit_changes.csv.gz").read_bytes()).decode("utf-8")
    changes = [row for row in csv.DictReader(io.StringIO(data)) if row["old_code"] in codes]
    with (folder / "changes.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(UNIT_CHANGES)
        writer.writerows((r["level"], r["old_code"], r["new_code"], r["is_split"], r["is_default"], "2025-07-01") for r in changes)
    agencies = table("agencies")
    (out / "co-quan").mkdir(exist_ok=True)
    with (out / "co-quan" / "agencies.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(AGENCIES)
        writer.writerows((*row.values(), *_term(row)) for row in agencies)
        writer.writerows(CENTRAL)
    _write_lists(out / "danh-muc")
    return len(kept), len(changes), len(agencies) + len(CENTRAL)


def _write_lists(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in LISTS:
        with (folder / f"{name.replace('_', '-')}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(ENTRIES)
            writer.writerows(
                (e.code, e.parent, e.name, e.name_en, "|".join(e.spellings), e.valid_from, e.valid_to or "") for e in entries(name)
            )


def _term(agency: dict[str, str]) -> tuple[str, str]:
    """(valid from, valid to): from the province's first day; departments that were merged ended on 1 March 2025, districts and the province on 1 July."""
    if agency["kind"] in {"province", "district_committee"}:
        return PROVINCE_SINCE, "2025-07-01"
    return PROVINCE_SINCE, "2025-03-01" if agency["successor_name_2025"] else "2025-07-01"

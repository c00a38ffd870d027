"""Every volume and error rate in one place. Percent of rows, by register: design assumptions, chosen to be hard and plausible.

Registers: R1 population, R2 social insurance, R4 poor households, R6 land holders, R7 enterprises, R8 licences.
"""

from __future__ import annotations

PERSONS_AT_FULL_SIZE = 1_024_000
MEAN_HOUSEHOLD = 3.77
TWIN_PERCENT = 1.1
BAD_COMMUNES = 0.2  # 70 % of errors fall on a fifth of the communes: a bad typist stays a bad typist
BAD_SHARE = 0.7

COVER = {"R1": 0.992, "R2": 0.93, "R4": 0.032, "R6": 0.40}
DUPLICATE_PERCENT = {"R1": 0.2, "R2": 1.1, "R4": 1.8, "R6": 1.4, "R7": 0.5, "R8": 2.5}
EXACT_DUPLICATES = 0.4
YEAR_ONLY_WITHOUT_ID = 0.65  # who is known by year only (D2) has the old number (I1) or none (I2)
UNMARKED_RESPELLED = 0.5  # a name without marks (N3) stands beside a respelled unit (A5)

OUTSIDERS_PERCENT = {"R2": 1.4, "R6": 5.0}  # of the register's persons: live elsewhere
BORN_ELSEWHERE = 0.22
DEAD_BEFORE_PERCENT = 1.4  # of all persons, dead before the world's day; all of them still hold land: 3.4 % of R6
IN_R4_ALSO_IN = {"R2": 0.99, "R6": 0.61}  # members; households of which one holds land
REPRESENTATIVE_HOLDS_LAND = 0.57
HOLDER_KINDS = ((1, 0.63), (2, 0.31), (0, 0.04), (3, 0.02))  # persons on a parcel: one, a couple, an organisation, heirs
RENUMBERED_PERCENT = 2.0  # of holders' rows: parcels of sheets that were remeasured; 7 % would hide the other findings
DEAD_UNNOTICED = 0.6  # of a year's dead: 0.4 % of the population register
EVENTS_PER_THOUSAND = {
    "death": 6.6,
    "birth": 13.8,
    "marriage": 7.4,
    "move_inside": 30.3,
    "move_in": 13.7,
    "move_out": 11.7,
    "new_card": 87.9,
    "name_corrected": 1.9,
}

RATES: dict[str, dict[str, float]] = {
    "N1": {"R1": 3, "R2": 6, "R4": 9, "R6": 8, "R7": 6, "R8": 6},
    "N2": {"R1": 0.1, "R2": 0.8, "R4": 2.5, "R6": 2.2, "R7": 0.7, "R8": 0.7},
    "N3": {"R1": 0, "R2": 1.5, "R4": 3, "R6": 6, "R7": 1, "R8": 1},
    "N4": {"R1": 0.05, "R2": 0.5, "R4": 1.4, "R6": 1.1, "R7": 0.5, "R8": 0.5},
    "N5": {"R1": 0.1, "R2": 0.6, "R4": 1.2, "R6": 1, "R7": 0.3, "R8": 0.3},
    "N6": {"R1": 0.02, "R2": 0.3, "R4": 1.3, "R6": 1.2, "R7": 0.4, "R8": 0.4},
    "N7": {"R1": 0, "R2": 0.02, "R4": 0.9, "R6": 0.7, "R7": 0, "R8": 0},
    "N8": {"R1": 0.05, "R2": 0.7, "R4": 2, "R6": 3, "R7": 0.5, "R8": 0.5},
    "N9": {"R1": 2, "R2": 8, "R4": 14, "R6": 12, "R7": 6, "R8": 6},  # of minority rows
    "D1": {"R1": 0.02, "R2": 0.4, "R4": 1.2, "R6": 1, "R7": 0.3},
    "D2": {"R1": 3, "R2": 6, "R4": 22, "R6": 31, "R7": 4},  # of those born before 1975
    "D3": {"R1": 4, "R2": 9, "R4": 10, "R6": 8, "R7": 3},  # of the same
    "D4": {"R1": 0.02, "R2": 0.3, "R4": 0.8, "R6": 0.7, "R7": 0.2},
    "I1": {"R1": 0, "R2": 2.5, "R4": 13, "R6": 38, "R7": 5},
    "I2": {"R1": 0.4, "R2": 3, "R4": 12, "R6": 14, "R7": 1},
    "I3": {"R1": 0, "R2": 0.9, "R4": 4, "R6": 1.5, "R7": 0.5, "R8": 0.5},
    "I4": {"R1": 0.01, "R2": 0.3, "R4": 0.9, "R6": 0.6, "R7": 0.2, "R8": 0.2},
    "A1": {"R1": 2, "R2": 9, "R4": 4, "R6": 27, "R7": 11},
    "A2": {"R1": 94, "R2": 38, "R4": 51, "R6": 83, "R7": 41, "R8": 41},
    "A3": {"R1": 0.5, "R2": 5, "R4": 9, "R7": 5, "R8": 5},
    "A4": {"R1": 0.3, "R2": 2, "R4": 3, "R6": 4, "R7": 2, "R8": 2},
    "A5": {"R1": 1, "R2": 12, "R4": 25, "R6": 22, "R7": 10, "R8": 10},
    "T1": {"R1": 4, "R2": 14, "R4": 22, "R7": 8},
    "B3": {"R1": 0, "R2": 3, "R4": 0, "R6": 1, "R7": 2, "R8": 2},
    "B4": {"R1": 0, "R2": 1, "R4": 0, "R6": 2, "R7": 1, "R8": 1},
}
# A2 of R1 is no error and differs from the design: that register still keeps the units of before 1 July 2025; its `ngay_cap_nhat` says as of when.

READING_FAULTS = {"stuck": 0.4, "spike": 0.05, "gap": 2.0, "repeated": 0.2}
INDICATOR_TOTAL_DIFFERS = 1.5


def rate(code: str, register: str) -> float:
    """The share (0–1) of rows of a register that carry an error; 0 where the register has no such field."""
    return RATES[code].get(register, 0.0) / 100

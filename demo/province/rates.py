"""Every volume and error rate in one place. Percent of rows, by register: design assumptions, chosen to be hard and plausible.

Registers: R1 population, R2 health insurance, R3 social insurance, R4 poor households, R5 social protection, R6 land holders, R7 enterprises
and household businesses, R8 licences, R9 civil status, R10 pupils and teachers, R11 officials. A register of several books names them after a
dot (`R9.births`): rates are the register's.
"""

from __future__ import annotations

PERSONS_AT_FULL_SIZE = 1_024_000
MEAN_HOUSEHOLD = 3.77
TWIN_PERCENT = 1.1
BAD_COMMUNES = 0.2  # 70 % of errors fall on a fifth of the communes: a bad typist stays a bad typist
BAD_SHARE = 0.7

COVER = {  # of persons; R4 of households, R9 of events, R10 of those aged 6 to 17
    "R1": 0.992, "R2": 0.93, "R3": 0.16, "R4": 0.032, "R5": 0.0332, "R6": 0.40, "R9": 0.98, "R10": 0.97, "R10.teachers": 0.01475, "R11": 0.02363,
    "R7.households": 0.0364,
}  # fmt: skip
DUPLICATE_PERCENT = {
    "R1": 0.2, "R2": 1.1, "R3": 0.6, "R4": 1.8, "R5": 2.2, "R6": 1.4, "R7": 0.5, "R7.households": 3, "R8": 2.5, "R9": 0.7, "R10": 0.9, "R11": 0.3,
}  # fmt: skip
EXACT_DUPLICATES = 0.4
YEAR_ONLY_WITHOUT_ID = 0.65  # who is known by year only (D2) has the old number (I1) or none (I2)
UNMARKED_RESPELLED = 0.5  # a name without marks (N3) stands beside a respelled unit (A5)

OUTSIDERS_PERCENT = {"R2": 1.4, "R6": 5.0}  # of the register's persons: live elsewhere
BORN_ELSEWHERE = 0.22
DEAD_BEFORE_PERCENT = 1.4  # of all persons, dead before the world's day; all of them still hold land: 3.4 % of R6
OTHER_NAME_PERCENT = 3.0  # of the grown: go by another name as well, as people do who are called by their place among the children
OTHER_NAME_TOLD = 0.85  # of them in R1, whose form asks for it (Law 26/2023/QH15, article 9); no other register's does
IN_R4_ALSO_IN = {"R2": 0.99, "R6": 0.61}  # members; households of which one holds land
IN_R5_ALSO_IN_R4 = 0.17
PUPIL_IN_R1 = 0.986  # of the others the family has not registered where it lives
OFFICIAL_IN_R3 = 0.98
REPRESENTATIVE_HOLDS_LAND, REPRESENTATIVE_IS_INSURED = 0.57, 0.64  # in R6, in R3
DOSSIERS_A_PERSON, DOSSIERS_LATE = 0.30, 0.055  # of half a year
HOLDER_KINDS = ((1, 0.63), (2, 0.31), (0, 0.04), (3, 0.02))  # persons on a parcel: one, a couple, an organisation, heirs
RENUMBERED_PERCENT = 2.0  # of holders' rows: parcels of sheets that were remeasured; 7 % would hide the other findings
MOVED_OUT_TOLD = 0.9  # of those who moved away in the year; with it 0.6 % of poor members are said to have moved out
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
    "N1": {"R1": 3, "R2": 6, "R3": 5, "R4": 9, "R5": 9, "R6": 8, "R7": 6, "R8": 6, "R9": 7, "R10": 8, "R11": 2.5},
    "N2": {"R1": 0.1, "R2": 0.8, "R3": 0.5, "R4": 2.5, "R5": 2.5, "R6": 2.2, "R7": 0.7, "R8": 0.7, "R9": 1, "R10": 1.2, "R11": 0.25},
    "N3": {"R1": 0, "R2": 1.5, "R3": 0.8, "R4": 3, "R5": 3, "R6": 6, "R7": 1, "R8": 1, "R9": 0.5, "R10": 2, "R11": 0.4},
    "N4": {"R1": 0.05, "R2": 0.5, "R3": 0.3, "R4": 1.4, "R5": 1.5, "R6": 1.1, "R7": 0.5, "R8": 0.5, "R9": 0.6, "R10": 0.9, "R11": 0.15},
    "N5": {"R1": 0.1, "R2": 0.6, "R3": 0.4, "R4": 1.2, "R5": 1.3, "R6": 1, "R7": 0.3, "R8": 0.3, "R9": 0.5, "R10": 0.7, "R11": 0.2},
    "N6": {"R1": 0.02, "R2": 0.3, "R3": 0.2, "R4": 1.3, "R5": 1.5, "R6": 1.2, "R7": 0.4, "R8": 0.4, "R9": 0.3, "R10": 0.5, "R11": 0.1},
    "N7": {"R1": 0, "R2": 0.02, "R3": 0, "R4": 0.9, "R5": 1.2, "R6": 0.7, "R7": 0, "R8": 0, "R9": 0.05, "R10": 0.05, "R11": 0},
    "N8": {"R1": 0.05, "R2": 0.7, "R3": 0.3, "R4": 2, "R5": 2, "R6": 3, "R7": 0.5, "R8": 0.5, "R9": 0.3, "R10": 1, "R11": 0.15},
    "N9": {"R1": 2, "R2": 8, "R3": 5, "R4": 14, "R5": 14, "R6": 12, "R7": 6, "R8": 6, "R9": 7, "R10": 10, "R11": 2.5},  # of minority rows
    "N10": {"R1": 0, "R2": 4, "R3": 2, "R4": 25, "R5": 25, "R6": 20, "R7": 8, "R9": 10, "R11": 1},  # of rows of who goes by another name
    "D1": {"R1": 0.02, "R2": 0.4, "R3": 0.2, "R4": 1.2, "R5": 1.2, "R6": 1, "R7": 0.3, "R9": 0.3, "R10": 0.6, "R11": 0.1},
    "D2": {"R1": 3, "R2": 6, "R3": 3, "R4": 22, "R5": 28, "R6": 31, "R7": 4, "R9": 5, "R10": 0, "R11": 1.5},  # of those born before 1975
    "D3": {"R1": 4, "R2": 9, "R3": 5, "R4": 10, "R5": 9, "R6": 8, "R7": 3, "R9": 4, "R10": 0, "R11": 2.5},  # of the same
    "D4": {"R1": 0.02, "R2": 0.3, "R3": 0.2, "R4": 0.8, "R5": 1, "R6": 0.7, "R7": 0.2, "R9": 0.3, "R10": 0.3, "R11": 0.1},
    "I1": {"R1": 0, "R2": 2.5, "R3": 1, "R4": 13, "R5": 12, "R6": 38, "R7": 5, "R9": 9, "R10": 0.2, "R11": 0.5},
    "I2": {"R1": 0.4, "R2": 3, "R3": 0.5, "R4": 12, "R5": 9, "R6": 14, "R7": 1, "R9": 10, "R10": 11, "R11": 0.25},
    "I3": {"R1": 0, "R2": 0.9, "R3": 0.3, "R4": 4, "R5": 4, "R6": 1.5, "R7": 0.5, "R8": 0.5, "R9": 0.6, "R10": 2, "R11": 0.15},
    "I4": {"R1": 0.01, "R2": 0.3, "R3": 0.1, "R4": 0.9, "R5": 1.1, "R6": 0.6, "R7": 0.2, "R8": 0.2, "R9": 0.4, "R10": 0.6, "R11": 0.05},
    "A1": {"R1": 2, "R2": 9, "R3": 12, "R4": 4, "R5": 5, "R6": 27, "R7": 11, "R9": 20, "R10": 8, "R11": 6},
    "A2": {"R1": 94, "R2": 38, "R3": 34, "R4": 51, "R5": 55, "R6": 83, "R7": 41, "R8": 41, "R9": 60, "R10": 44, "R11": 17},
    "A3": {"R1": 0.5, "R2": 5, "R3": 4, "R4": 9, "R5": 9, "R7": 5, "R8": 5, "R9": 4, "R10": 7, "R11": 2},
    "A4": {"R1": 0.3, "R2": 2, "R3": 1.5, "R4": 3, "R5": 3, "R6": 4, "R7": 2, "R8": 2, "R9": 1, "R10": 2, "R11": 0.75},
    "A5": {"R1": 1, "R2": 12, "R3": 8, "R4": 25, "R5": 25, "R6": 22, "R7": 10, "R8": 10, "R9": 12, "R10": 15, "R11": 4},
    "T1": {"R1": 4, "R2": 14, "R3": 9, "R4": 22, "R5": 22, "R7": 8, "R9": 10, "R10": 20, "R11": 4.5},
    "B3": {"R1": 0, "R2": 3, "R3": 1, "R4": 0, "R5": 6, "R6": 1, "R7": 2, "R8": 2, "R9": 2, "R10": 9, "R11": 0.5},
    "B4": {"R1": 0, "R2": 1, "R3": 0.5, "R4": 0, "R5": 4, "R6": 2, "R7": 1, "R8": 1, "R9": 1, "R10": 2, "R11": 0.25},
}
# Whole files in bytes of old fonts (B1), and rows out of order (X2), are of a district's file: see `poor_households` and `protection`.
# A2 of R1 is no error and differs from the design: that register still keeps the units of before 1 July 2025; its `ngay_cap_nhat` says as of when.

READING_FAULTS = {"stuck": 0.4, "spike": 0.05, "gap": 2.0, "repeated": 0.2}
INDICATOR_TOTAL_DIFFERS = 1.5


def rate(code: str, register: str) -> float:
    """The share (0–1) of rows of a register that carry an error; 0 where the register has no such field."""
    return RATES[code].get(register.partition(".")[0], 0.0) / 100


def duplicates(register: str) -> float:
    """The share (0–1) of rows of a register or one of its books that stand there twice."""
    return DUPLICATE_PERCENT.get(register, DUPLICATE_PERCENT[register.partition(".")[0]]) / 100

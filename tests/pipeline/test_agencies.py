"""Agencies taken over from their register."""

from __future__ import annotations

from datetime import date

from lienthong.pipeline import Workshop, agencies, submit_records
from lienthong.pipeline.granting import terminal
from lienthong.store import agencies as store

REGISTER = "agencies.register"


def test_taking_the_register_over_again_opens_no_agency_that_was_closed_here(empty_province: Workshop) -> None:
    rows = [
        {"agency_code": code, "name": f"Cơ quan {code}", "kind": "department", "valid_from": "1997-01-01"}
        for code in ("H10.04", "H10.07", "H10.10")
    ]
    submit_records(empty_province, empty_province.contracts[REGISTER], rows, caller="VN/GOV/H10.02/x", idempotency_key="1")
    day, operator = date(2026, 7, 1), terminal("van-hanh-1")
    assert agencies.take_from_register(empty_province, operator, REGISTER, day) == 3
    agencies.close(empty_province, operator, "H10.10", day, ["H10.07"])
    assert agencies.take_from_register(empty_province, operator, REGISTER, day) == 0
    with empty_province.database.connect() as connection:
        known = store.read(connection)
    assert (known.by_code["H10.10"].valid_to, known.replaced_by("H10.10", day)) == (day, ("H10.07",))
    assert known.by_code["H10.04"].valid_to is None

"""SDMX, read by `sdmx1` and, against the standard's own schemas, by `pysdmx`."""

from __future__ import annotations

from tests.doors.environments import ask
from tests.doors.province import FIGURE_DATASET, RESTRICTED, Province

FLOW = FIGURE_DATASET.replace(".", "_")


def test_a_client_finds_flows_codes_and_series(province: Province) -> None:
    assert FLOW in ask("sdmx1", "flows", province.base)
    dimensions, lists = ask("sdmx1", "codes", province.base, FLOW)
    assert dimensions == ["indicator_code", "district_code", "TIME_PERIOD"]
    assert set(lists) == {f"CL_{FLOW}_indicator_code", "CL_admin_units_units_district"}
    assert all(lists.values())
    count, first = ask("sdmx1", "series", province.base, FLOW)
    assert count > 1
    assert [part.partition("=")[0] for part in first] == ["indicator_code", "district_code"]


def test_the_draft_of_json_is_read_too(province: Province) -> None:
    figure = province.figure()
    key = f"{figure.where['indicator_code']}.{figure.where['district_code']}"
    assert figure.value in [float(value) for value in ask("sdmx1", "draft", province.base, FLOW, key)]


def test_structures_hold_against_the_standards_own_schema(province: Province) -> None:
    found = ask("pysdmx_reader", "structure", province.base, FLOW)
    assert found["faults"] == []
    assert found["flows"] == [FLOW]
    assert {"indicator_code", "district_code", "TIME_PERIOD", "OBS_VALUE", "UNIT_MEASURE"} <= set(found["components"])


def test_what_is_not_offered_and_what_is_not_there_are_told_as_such(province: Province) -> None:
    assert ask("sdmx1", "refused", province.base, "metadataflow", "all") == ["NotImplementedError", None]  # as sdmx1 tells our 501
    assert ask("sdmx1", "refused", province.base, "data", RESTRICTED.replace(".", "_")) == ["HTTPError", 404]

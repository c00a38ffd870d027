"""Every door tells the same figure, read by the client people use at that door."""

from __future__ import annotations

from tests.doors.environments import ask
from tests.doors.province import FIGURE_DATASET, Province


def test_parquet_tells_the_figure(province: Province) -> None:
    figure = province.figure()
    assert ask("arrow", "figure", province.base, FIGURE_DATASET, "value", *figure.conditions) == [figure.value]


def test_odata_tells_the_figure(province: Province) -> None:
    figure = province.figure()
    assert ask("python_odata", "figure", province.base, FIGURE_DATASET.replace(".", "_"), "value", *figure.conditions) == [figure.value]


def test_sdmx_tells_the_figure_to_both_its_clients(province: Province) -> None:
    figure, flow = province.figure(), FIGURE_DATASET.replace(".", "_")
    assert ask("sdmx1", "figure", province.base, flow, *figure.conditions) == [figure.value] * 2
    assert ask("pysdmx_reader", "figure", province.base, flow, *figure.conditions) == {"faults": [], "values": [figure.value] * 2}

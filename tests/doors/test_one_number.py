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

"""Indicators as text files: what a number means, whose it is, how it is reckoned and when it closes; and the reports made of them."""

from lienthong.contracts.indicators.formula_model import Formula
from lienthong.contracts.indicators.load import load_indicators
from lienthong.contracts.indicators.model import Closing, Direction, Indicator, Quality, ReadStanding, State, judge
from lienthong.contracts.indicators.periods import Period, PeriodType, period_named, period_of
from lienthong.contracts.indicators.reports import Form, FormTable, Report, load_reports

__all__ = [
    "Closing",
    "Direction",
    "Form",
    "FormTable",
    "Formula",
    "Indicator",
    "Period",
    "PeriodType",
    "Quality",
    "ReadStanding",
    "Report",
    "State",
    "judge",
    "load_indicators",
    "load_reports",
    "period_named",
    "period_of",
]

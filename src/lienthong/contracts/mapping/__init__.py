"""The mapping of a field: one expression over delivered columns, kept as data in the contract, that can do no harm."""

from lienthong.contracts.mapping.functions import FUNCTIONS, Function
from lienthong.contracts.mapping.reading import read_mapping
from lienthong.contracts.mapping.tree import Call, Heading, Kind, Node, Number, Text, headings_of, lookups_of
from lienthong.contracts.mapping.units import UNITS, factor_between

__all__ = [
    "FUNCTIONS",
    "UNITS",
    "Call",
    "Function",
    "Heading",
    "Kind",
    "Node",
    "Number",
    "Text",
    "factor_between",
    "headings_of",
    "lookups_of",
    "read_mapping",
]

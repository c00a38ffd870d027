"""Reads a contract, checks it, and says whether a new version breaks its users."""

from lienthong.contracts.load import build, load, load_all
from lienthong.contracts.model import (
    Contract,
    Delivery,
    Expect,
    Layer,
    LegalBasis,
    Property,
    Rule,
    Sensitivity,
    Severity,
    Sharing,
    Source,
)

__all__ = [
    "Contract",
    "Delivery",
    "Expect",
    "Layer",
    "LegalBasis",
    "Property",
    "Rule",
    "Sensitivity",
    "Severity",
    "Sharing",
    "Source",
    "build",
    "load",
    "load_all",
]

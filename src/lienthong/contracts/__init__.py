"""Reads a contract, checks it, and says whether a new version breaks its users."""

from lienthong.contracts.comparing import Change, Verdict, compare, verdict
from lienthong.contracts.licences import DEFAULT_LICENCE, LICENCES, Licence
from lienthong.contracts.live import LiveContracts
from lienthong.contracts.load import build, load, load_all
from lienthong.contracts.model import (
    Closing,
    Contract,
    Delivery,
    Disclosure,
    Expect,
    Layer,
    LegalBasis,
    MatchRole,
    MatchSpec,
    Place,
    Property,
    Rule,
    Schedule,
    Sensitivity,
    Severity,
    Sharing,
    Source,
    SurvivorshipRule,
    source_name,
)
from lienthong.contracts.reference import disclosure_words, render_reference

__all__ = [
    "DEFAULT_LICENCE",
    "LICENCES",
    "Change",
    "Closing",
    "Contract",
    "Delivery",
    "Disclosure",
    "Expect",
    "Layer",
    "LegalBasis",
    "Licence",
    "LiveContracts",
    "MatchRole",
    "MatchSpec",
    "Place",
    "Property",
    "Rule",
    "Schedule",
    "Sensitivity",
    "Severity",
    "Sharing",
    "Source",
    "SurvivorshipRule",
    "Verdict",
    "build",
    "compare",
    "disclosure_words",
    "load",
    "load_all",
    "render_reference",
    "source_name",
    "verdict",
]

"""Reads rows from a source in Arrow batches, unchanged. The only registry."""

from lienthong.connectors.base import Batch, BrokenRow, Connector, Keeper, Note, Position, ReadContext, SourceFile
from lienthong.connectors.excel_file import first_cells
from lienthong.connectors.files import Coming, fingerprint_of
from lienthong.connectors.guessing import Guess, by_suffix, guess_source, source_of
from lienthong.connectors.registry import (
    CONNECTORS,
    coming,
    connector_names,
    fingerprint,
    get_connector,
    read,
    resumes,
    settle,
    tells_every_end,
)
from lienthong.connectors.spool import let_go
from lienthong.connectors.variables import expand, source_variables
from lienthong.connectors.watching import is_watched, sign_of

__all__ = [
    "CONNECTORS",
    "Batch",
    "BrokenRow",
    "Coming",
    "Connector",
    "Guess",
    "Keeper",
    "Note",
    "Position",
    "ReadContext",
    "SourceFile",
    "by_suffix",
    "coming",
    "connector_names",
    "expand",
    "fingerprint",
    "fingerprint_of",
    "first_cells",
    "get_connector",
    "guess_source",
    "is_watched",
    "let_go",
    "read",
    "resumes",
    "settle",
    "sign_of",
    "source_of",
    "source_variables",
    "tells_every_end",
]

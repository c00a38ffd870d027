"""Whether a source is watched, and what lies there now, without reading it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from lienthong.connectors.base import Position, ReadContext
from lienthong.connectors.files import listed_files
from lienthong.connectors.options import FOLDER, is_of_files
from lienthong.connectors.registry import get_connector
from lienthong.contracts import Source
from lienthong.errors import SourceError


def is_watched(source: Source) -> bool:
    """Whether the contract says that the source is to be taken in by itself."""
    place = source.options.get(FOLDER) if is_of_files(source) else source.options
    return isinstance(place, Mapping) and place.get("watch") is True


def sign_of(source: Source, context: ReadContext, after: Position | None) -> str | None:
    """What changes when something new lies there; None when nothing waits. Raises SourceError when it cannot be seen.

    A connector of streams says by its `waits` whether there are messages: each such look is another sign.
    """
    if is_of_files(source):
        listed = listed_files(source, context)
        return hashlib.sha256(repr(listed).encode()).hexdigest()
    waits: Callable[[Source, ReadContext, Any], bool] | None = getattr(get_connector(source.connector), "waits", None)
    if waits is None:
        raise SourceError(f"Nguồn/source `{source.name}`: connector `{source.connector}` cannot be watched.")
    return secrets.token_hex(8) if waits(source, context, after) else None

"""The lines of an answer in the two forms of the protocol: its own, and actions of a Delta log for clients that read with Delta's kernel.

What stands in them is the same: the same files at the same addresses. Tables need no reader feature, so who takes both forms gets the simpler one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from lienthong.errors import BadRequest
from lienthong.sharing.shares.files import Part
from lienthong.web.doors.delta.forms import CAPABILITIES

# Delta's kernel takes an address for a signed one, to be fetched as it is, by a parameter of a store it knows; Azure's "permission: read" is one (`is_presigned` in delta-kernel-rs).
_SIGNED = "&sp=r"
PARQUET, DELTA = "parquet", "delta"
Line = Mapping[str, Any]
_WRITER_VERSION = 4  # the first with a change data feed


def form_of(request: Request) -> str:
    """The form a client takes. Raises BadRequest for one that takes neither."""
    for part in request.headers.get(CAPABILITIES, "").lower().split(";")[:20]:
        name, _, value = part.partition("=")
        if name.strip() == "responseformat":
            wanted = {each.strip() for each in value.split(",")}
            if not wanted & {PARQUET, DELTA}:
                raise BadRequest(
                    f"`{CAPABILITIES}`: expected responseformat parquet or delta.", vi="responseformat phải là parquet hoặc delta."
                )
            return PARQUET if PARQUET in wanted else DELTA
    return PARQUET


def protocol(form: str) -> Line:
    """What a reader must be able to do."""
    if form == PARQUET:
        return {"protocol": {"minReaderVersion": 1}}
    return {"protocol": {"deltaProtocol": {"minReaderVersion": 1, "minWriterVersion": _WRITER_VERSION}}}


def metadata(form: str, told: Line) -> Line:
    """The metadata of a table (`View.metadata`)."""
    if form == PARQUET:
        return {"metaData": told}
    outside = ("version", "size", "numFiles")
    table = {name: value for name, value in told.items() if name not in outside}
    table["format"] = {"provider": "parquet", "options": {}}
    table["configuration"] = {f"delta.{name}": value for name, value in told["configuration"].items()}
    return {"metaData": {**{name: told[name] for name in outside if name in told}, "deltaMetadata": table}}


def rows_in(form: str, signed: Line, part: Part, made_at: int, stamp: Line) -> Line:
    """A file of a version's rows. `signed`: its address, id and end; `made_at`: milliseconds; `stamp`: version and timestamp where they are told."""
    if form == PARQUET:
        return {"file": {**signed, "partitionValues": {}, "size": part.size, "stats": part.stats, **stamp}}
    add = {"modificationTime": made_at, "dataChange": True, "stats": part.stats}
    return {"file": {**_outside(signed), **stamp, "deltaSingleAction": {"add": {**_action(signed, part), **add}}}}


def changes_in(form: str, signed: Line, part: Part, stamp: Line) -> Line:
    """A file of what a version changed."""
    if form == PARQUET:
        return {"cdf": {**signed, "partitionValues": {}, "size": part.size, **stamp}}
    return {"file": {**_outside(signed), **stamp, "deltaSingleAction": {"cdc": {**_action(signed, part), "dataChange": False}}}}


def brought_in(form: str, signed: Line, part: Part, stamp: Line) -> Line:
    """A file of rows a version added."""
    if form == PARQUET:
        return {"add": {**signed, "partitionValues": {}, "size": part.size, "stats": part.stats, **stamp}}
    return rows_in(form, signed, part, stamp["timestamp"], stamp)


def taken_in(form: str, signed: Line, part: Part, stamp: Line) -> Line:
    """A file of rows a version put an end to."""
    if form == PARQUET:
        return {"remove": {**signed, "partitionValues": {}, "size": part.size, **stamp}}
    removed = {"deletionTimestamp": stamp["timestamp"], "dataChange": True, "extendedFileMetadata": True}
    return {"file": {**_outside(signed), **stamp, "deltaSingleAction": {"remove": {**_action(signed, part), **removed}}}}


def _outside(signed: Line) -> dict[str, Any]:
    return {name: value for name, value in signed.items() if name != "url"}


def _action(signed: Line, part: Part) -> dict[str, Any]:
    return {"path": signed["url"] + _SIGNED, "partitionValues": {}, "size": part.size}

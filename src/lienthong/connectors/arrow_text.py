"""Typed columns as the text a person would write: dates as ISO, whole numbers without a fraction, nested values as JSON or apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lienthong.errors import SourceError

NESTED = ("refuse", "flatten", "json")
_EXACT = 2.0**53  # whole numbers a double still tells apart
_MIDNIGHT = r"(\.0+)(Z?)$"


def texts_of(batch: pa.RecordBatch, nested: str, name: str) -> pa.RecordBatch:
    """Every column as text. Nested columns are refused by name, flattened (structs to `a.b`; lists still JSON) or become JSON text."""
    if nested == "flatten":
        table = pa.Table.from_batches([batch])
        while any(pa.types.is_struct(field.type) for field in table.schema):
            table = table.flatten()
        batch = table.combine_chunks().to_batches()[0] if table.num_rows else _empty_batch(table.schema)
    refused = [field.name for field in batch.schema if pa.types.is_nested(field.type)] if nested == "refuse" else []
    if refused:
        listed = ", ".join(f"`{column}`" for column in refused)
        raise SourceError(f"`{name}`: cột lồng nhau / nested columns: {listed}.", hint="Set the option `nested` to `flatten` or `json`.")
    names = batch.schema.names
    columns = [text_of_column(column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema([(column, pa.string()) for column in names]))


def _empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def text_of_column(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
        kind = column.type
    if pa.types.is_floating(kind):
        return _floats(column.cast(pa.float64()))
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "true", "false")
    if pa.types.is_timestamp(kind):
        return pc.replace_substring_regex(column.cast(pa.string()), _MIDNIGHT, r"\2")
    if pa.types.is_time(kind):
        return pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())
    if pa.types.is_decimal(kind):
        return pa.array([None if value is None else format(value, "f") for value in column.to_pylist()], pa.string())
    if pa.types.is_nested(kind) or pa.types.is_duration(kind) or pa.types.is_null(kind):
        return pa.array(_as_json(column.to_pylist()), pa.string())
    return column.cast(pa.string())


def _floats(column: pa.Array) -> pa.Array:
    """Shortest text that is the same number; whole ones without a fraction, none with an exponent."""
    whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), _EXACT))
    texts = pc.if_else(whole, pc.if_else(whole, column, 0.0).cast(pa.int64()).cast(pa.string()), column.cast(pa.string()))
    if pc.any(pc.match_substring(texts, "e")).as_py():
        values = zip(texts.to_pylist(), column.to_pylist(), strict=True)
        return pa.array(
            [text if text is None or "e" not in text else format(Decimal(repr(value)), "f") for text, value in values], pa.string()
        )
    return texts


def _as_json(values: Sequence[Any]) -> list[str | None]:
    return [None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str) for value in values]

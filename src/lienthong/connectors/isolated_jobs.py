"""What children of `isolated` do with a file: yield its rows as Arrow batches of text. Run only there, where crashing harms nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa

from lienthong.errors import HostileInputError, SourceError


def parquet_rows(
    path: str, file_name: str, nested: str, batch_rows: int, group: int, skip: int, group_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Rows from row group `group` on, `skip` of it passed over; each batch's metadata says its group and the rows of it that are done."""
    from pyarrow import parquet  # noqa: PLC0415

    from lienthong.connectors.arrow_text import texts_of  # noqa: PLC0415

    try:
        file = parquet.ParquetFile(path, memory_map=False, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"`{file_name}`: không phải Parquet hoặc bị cắt / is not Parquet, or is cut off ({_first(error)}).") from error
    yield _said(texts_of(_none_of(file.schema_arrow), nested, file_name), group=0, row=0)
    for place in range(group, file.metadata.num_row_groups):
        size = file.metadata.row_group(place).total_byte_size
        if size > group_bytes:
            raise HostileInputError(
                f"`{file_name}`: nhóm dòng {place + 1} quá lớn / row group {place + 1} holds {size} bytes, the limit is {group_bytes}.",
                hint="Write it in smaller row groups, or raise `max_group_bytes`.",
            )
        done = 0
        try:
            for batch in file.iter_batches(batch_rows, row_groups=[place], use_threads=False):
                before, done = done, done + batch.num_rows
                if done <= skip and place == group:
                    continue
                kept = batch.slice(skip - before) if place == group and before < skip else batch
                yield _said(texts_of(kept, nested, file_name), group=place, row=done)
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"`{file_name}`: nhóm dòng {place + 1} hỏng / row group {place + 1} is damaged ({_first(error)}).") from error
        if done != file.metadata.row_group(place).num_rows:
            raise HostileInputError(
                f"`{file_name}`: row group {place + 1} says {file.metadata.row_group(place).num_rows} rows, holds {done}."
            )


def sheet_rows(path: str, sheets: Sequence[int], anchored: Sequence[bool]) -> Iterator[pa.RecordBatch]:
    """Sheets of a workbook, each whole; the Excel number of its first column is said in the schema's metadata.

    Rows begin with the first of the sheet; where the first filled cell is an anchor of ours, with the row after that.
    """
    import fastexcel  # noqa: PLC0415

    from lienthong.connectors.excel_cells import cells_of  # noqa: PLC0415

    workbook = fastexcel.read_excel(path)
    for sheet, from_anchor in zip(sheets, anchored, strict=True):
        cells = cells_of(workbook.load_sheet(sheet, header_row=None, skip_rows=None if from_anchor else 0, dtypes="string"))
        fields = [pa.field(str(place), pa.string()) for place in range(len(cells.columns))]
        columns = [column.slice(1 if from_anchor else 0) for column in cells.columns]
        yield pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields, {"first_column": str(cells.first_column)}))


def sheet_names(path: str) -> Iterator[pa.RecordBatch]:
    """The sheets of a workbook, in order, and whether each is shown."""
    import fastexcel  # noqa: PLC0415

    workbook = fastexcel.read_excel(path)
    names = workbook.sheet_names
    visible = [workbook.load_sheet(name, header_row=None, n_rows=0).visible == "visible" for name in names]
    yield pa.RecordBatch.from_pydict({"name": pa.array(names, pa.string()), "visible": pa.array(visible, pa.bool_())})


def _said(batch: pa.RecordBatch, **facts: int) -> pa.RecordBatch:
    """The batch with its place, in columns of their own: a stream keeps no metadata of single batches."""
    count = batch.num_rows
    for key, value in facts.items():
        batch = batch.append_column(f"\0{key}", pa.array([str(value)] * count, pa.string()))
    return batch


def _none_of(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)


def _first(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0][:300] if lines else type(error).__name__


JOBS: Mapping[str, Callable[..., Iterator[pa.RecordBatch]]] = {
    "parquet_rows": parquet_rows,
    "sheet_names": sheet_names,
    "sheet_rows": sheet_rows,
}

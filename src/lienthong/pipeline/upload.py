"""A file a data officer hands in: landed, judged and published as a delivery like any other, whole list or additions.

A whole list stands for the dataset's own file source, so that what it no longer holds ends, within the contract's bounds. Additions
come by a road of their own (`upload`): nothing ends because it is not in them, so that a corrected part can be handed in again.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psycopg

from lienthong import connectors
from lienthong.clock import vietnam_date
from lienthong.connectors.template_layout import template_options
from lienthong.contracts import Contract, Delivery, Layer, Source
from lienthong.errors import DatasetBusyError, LienthongError, SourceError, Unprocessable
from lienthong.ledger import Entry, Event
from lienthong.log import get_logger
from lienthong.pipeline.columns import match_columns
from lienthong.pipeline.delivered import PLATFORM, UPLOAD, Delivered
from lienthong.pipeline.land import land
from lienthong.pipeline.run import publish_landing
from lienthong.pipeline.submit import LOCK_WAIT_SECONDS
from lienthong.pipeline.workshop import OnProgress, Progress, RunOutcome, Workshop, no_progress
from lienthong.store import Connection, append_entries, dataset_lock, quarantine, runs, submissions, uploads
from lienthong.store.uploads import Upload

log = get_logger("upload")
FOLDER = "uploads"  # under the platform's home: where files wait that were handed in
_UNSAFE = re.compile(r"[^\w .()-]")
CONNECTORS = connectors.by_suffix()
PLAIN = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".csv", ".tsv", ".txt")  # one row of headings on top


def suffix_of(name: str) -> str:
    """The suffix of a file that can be handed in. Raises Unprocessable for another."""
    suffix = Path(name).suffix.lower()
    if suffix not in CONNECTORS:
        raise Unprocessable(
            f"Expected one of {', '.join(CONNECTORS)}, found `{suffix[:12]}`.",
            hint="Save it as .xlsx or .csv.",
            vi=f"Chỉ nhận {', '.join(CONNECTORS)}; hãy lưu lại dưới dạng .xlsx hoặc .csv.",
            hint_vi="Lưu lại thành tệp .xlsx hoặc .csv.",
        )
    return suffix


def own_source(contract: Contract, suffix: str) -> Source | None:
    """The dataset's own file source of this kind: the form its agency has agreed on."""
    return next((source for source in contract.sources if source.connector == CONNECTORS[suffix]), None)


def takes_uploads(contract: Contract) -> bool:
    """Golden records are made from those of registers, not handed in."""
    return contract.layer is not Layer.MASTER


def take_file(
    workshop: Workshop, contract: Contract, path: Path, *, is_whole: bool, official: str, caller: str = PLATFORM,
    on_progress: OnProgress = no_progress,
) -> RunOutcome:  # fmt: skip
    """Land a file, judge its rows and publish what is right; what is not waits in quarantine.

    Raises SourceError for a file that cannot be read, DatasetBusyError when another run holds the dataset for too long.
    """
    source = _source(workshop, contract, path, is_whole=is_whole)
    at = workshop.clock()
    day = vietnam_date(at)
    with workshop.database.connect(autocommit=True) as connection, dataset_lock(connection, contract.id, wait_seconds=LOCK_WAIT_SECONDS):
        cut_off = runs.unfinished(connection, contract.id, source.name)
        if cut_off is not None:  # its worker was killed; the file is taken in whole again
            runs.fail(connection, cut_off.run_id, at, "The run was cut off; the file is taken in anew.")
        fingerprint = connectors.fingerprint(source, workshop.read_context)
        run_id = runs.begin(connection, contract.id, source.name, source.delivery.value, contract.digest, fingerprint, at, day)
        try:
            for _ in land(workshop, connection, contract, source, run_id, None, on_progress):
                pass
            delivered = Delivered(run_id, source.name, source.delivery, day, fingerprint, caller=caller, official=official)
            outcome = publish_landing(
                workshop, connection, contract, delivered, on_progress, lambda write: _release(write, contract, run_id, at)
            )
        except LienthongError as error:
            with connection.transaction():
                runs.fail(connection, run_id, workshop.clock(), error.message)
                append_entries(connection, [_failed(workshop, contract, run_id, official, caller, error)], workshop.signer)
            raise
    on_progress(Progress(contract.id, "done", outcome.rows_in, outcome.rows_in))
    return outcome


def _release(write: Connection, contract: Contract, run_id: int, at: datetime) -> None:
    """Rows that waited and are right in this file wait no longer."""
    keys = sorted(set(submissions.published_rows(write, contract.id, run_id).values()))
    quarantine.release_by_key(write, contract.id, keys, run_id, at)


def _failed(workshop: Workshop, contract: Contract, run_id: int, official: str, caller: str, error: LienthongError) -> Entry:
    details = {"run": run_id, "code": error.code}
    return Entry(workshop.clock(), Event.RUN_FAILED, caller, official, dataset=contract.id, outcome="failed", details=details)


def receive(
    workshop: Workshop, contract: Contract, content: Path, file_name: str, folder: Path, *, is_whole: bool, by: str, agency: str,
    caller: str = PLATFORM,
) -> int:  # fmt: skip
    """Keep a file that was handed in until the worker takes it; gives its number. `content` is moved. Raises Unprocessable for another kind."""
    suffix_of(file_name)
    if not takes_uploads(contract):
        raise Unprocessable(f"`{contract.id}` is made, not handed in.", vi="Bản ghi gốc được lập từ các sổ, không nộp bằng tệp.")
    with content.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    size, at = content.stat().st_size, workshop.clock()
    with workshop.database.connect() as connection:
        number = uploads.add(connection, contract.id, agency, by, file_name, size, sha256, at, is_whole=is_whole)
        place = place_of(folder, number, file_name)
        place.parent.mkdir(parents=True, mode=0o700)
        content.replace(place)
        details = {"upload": number, "bytes": size, "sha256": sha256, "is_whole": is_whole}
        entry = Entry(at, Event.UPLOAD_RECEIVED, caller, by, dataset=contract.id, outcome="received", details=details)
        append_entries(connection, [entry], workshop.signer)
    return number


def place_of(folder: Path, number: int, file_name: str) -> Path:
    """Where a handed-in file waits: under its number, by a name that is nothing but a name."""
    return folder / str(number) / (_UNSAFE.sub("_", Path(file_name).stem)[:80] + Path(file_name).suffix.lower())


def take_waiting(workshop: Workshop, folder: Path) -> int:
    """Take in every file that waits, oldest first; how many. One that was cut off in the middle is begun anew, its half run failed."""
    count = 0
    while True:
        with workshop.database.warm() as connection:
            upload = uploads.next_to_do(connection)
        if upload is None:
            return count
        _take(workshop, folder, upload)
        count += 1


def _take(workshop: Workshop, folder: Path, upload: Upload) -> None:
    place = place_of(folder, upload.upload, upload.file_name)
    contract = workshop.contracts.get(upload.dataset_id)

    def tell(progress: Progress) -> None:
        with workshop.database.connect() as connection:
            uploads.progress(connection, upload.upload, progress.step, progress.rows, progress.total)

    run_id, error = None, None
    tell(Progress(upload.dataset_id, "waiting", 0))
    if contract is None:
        error = "Không còn bộ dữ liệu này / there is no such dataset any more."
    elif not place.is_file():
        error = "Tệp không còn, hãy nộp lại / the file is gone, hand it in again."
    else:
        try:
            run_id = take_file(workshop, contract, place, is_whole=upload.is_whole, official=upload.by_whom, on_progress=tell).run_id
        except DatasetBusyError:
            return  # it waits on, and is tried again
        except LienthongError as failure:
            error = str(failure)
        except (
            ValueError,
            TypeError,
            ArithmeticError,
            psycopg.DataError,
        ) as failure:  # a file nobody foresaw is refused, not tried for ever
            log.warning("upload_failed", upload=upload.upload, error=type(failure).__name__)
            error = "Tệp này không nạp được / this file cannot be taken in."
    with workshop.database.connect() as connection:
        uploads.finish(connection, upload.upload, workshop.clock(), run_id, error)
    shutil.rmtree(place.parent, ignore_errors=True)  # what it held is in the landing, as it came


def _source(workshop: Workshop, contract: Contract, path: Path, *, is_whole: bool) -> Source:
    """The file as a source: our own form by what it says of itself, in the agency's own form where its headings are there, else with one row of headings on top.

    Raises SourceError with what the form expects when neither fits.
    """
    suffix = suffix_of(path.name)
    own = own_source(contract, suffix)
    name = own.name if own is not None and is_whole else UPLOAD
    delivery = Delivery.SNAPSHOT if is_whole else Delivery.INCREMENTAL
    plain = Source(name, CONNECTORS[suffix], str(path), delivery)
    form = template_options(path, contract.id)
    if form is not None:
        return replace(plain, options=form)
    if own is None and suffix not in PLAIN:
        return replace(plain, options=connectors.guess_source(path).options)
    ways = [plain] if own is None or not own.options else [replace(plain, options=own.options), plain]
    for way in ways[:-1]:
        if _fits(workshop, contract, way):
            return way
    return ways[-1] if _fits(workshop, contract, ways[-1]) else ways[0]  # what does not fit is told by the run itself


def _fits(workshop: Workshop, contract: Contract, source: Source) -> bool:
    """Whether the file's first rows have the headings the contract asks for."""
    try:
        first = next(iter(connectors.read(source, workshop.read_context, None)), None)
        if first is None:
            return False
        match_columns(contract, first.table.column_names, source.name)
    except SourceError:
        return False
    return True

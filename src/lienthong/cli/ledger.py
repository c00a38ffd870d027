"""`lienthong ledger …`: recompute everything, name what does not fit."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import settings, workshop
from lienthong.cli.words import err, out, say
from lienthong.errors import LedgerError, SettingsError

if TYPE_CHECKING:
    from lienthong.store.verifying import Demand

MOST_NAMED = 10  # batches in one sentence
app = typer.Typer(no_args_is_help=True)


@app.callback()
def room() -> None:
    """The ledger's commands."""


@app.command("verify")
def verify(
    witness: Annotated[
        list[str] | None, typer.Option(help="Khóa nhân chứng, ngoài các khóa đã cấu hình · a witness's key, beside those of the settings")
    ] = None,
    needed: Annotated[int | None, typer.Option(help="Số nhân chứng phải ký · how many witnesses must have signed")] = None,
) -> None:
    """Tính lại toàn bộ sổ; nêu bản ghi đầu tiên không khớp · recompute the whole ledger; name the first entry that does not fit."""
    from psycopg import IsolationLevel
    from psycopg.errors import DiskFull

    from lienthong.store import verifying
    from lienthong.store.sequencing import Sequencer

    place, demand = workshop(), _demand(witness or [], needed)
    with suppress(
        LedgerError, DiskFull
    ):  # an edge that is damaged is what verification names; what is there can be read on a full disk, too
        Sequencer(place.database, place.signer, place.clock).catch_up()
    with place.database.connect() as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        verdict = verifying.verify_ledger(connection, place.signer, demand)
    if not verdict.ok:
        span = f"{verdict.first_misfit}" if verdict.first_misfit == verdict.last_misfit else f"{verdict.first_misfit}–{verdict.last_misfit}"
        raise LedgerError(say(f"Bản ghi {span}: {verdict.vi}", f"Entry {span}: {verdict.en}"), position=verdict.first_misfit)
    if verdict.foreign:
        count, first = len(verdict.foreign), ", ".join(str(number) for number in verdict.foreign[:MOST_NAMED])
        more = say(f" và {count - MOST_NAMED} lô nữa", f" and {count - MOST_NAMED} more") if count > MOST_NAMED else ""
        raise LedgerError(
            say(
                f"Sổ đúng, nhưng có {count} lô không do nền tảng ghi nằm ngoài sổ: {first}{more}.",
                f"The ledger holds, but batches the platform did not write lie beside it ({count}): {first}{more}.",
            ),
            batches=list(verdict.foreign),
        )
    out.print(
        say(
            f"Sổ đúng: {verdict.size} bản ghi, gốc {verdict.root.hex()}",
            f"The ledger holds: {verdict.size} entries, root {verdict.root.hex()}",
        ),
        soft_wrap=True,
    )
    if verdict.archived or verdict.gone:
        out.print(
            say(
                f"Nội dung: {verdict.present} ở đây, {verdict.archived} trong tệp lưu trữ, {verdict.gone} đã hủy theo thời hạn.",
                f"Bodies: {verdict.present} here, {verdict.archived} in archives, {verdict.gone} destroyed by rule.",
            ),
            soft_wrap=True,
        )


def _demand(keys: list[str], needed: int | None) -> Demand:
    """What verification asks of witnesses and stamps: the settings', and what the command adds."""
    from lienthong.clock import system_clock
    from lienthong.ledger.stamp import read_roots
    from lienthong.ledger.standalone import Unproved, read_key
    from lienthong.sharing.attesting import witnesses_of
    from lienthong.store.verifying import Demand

    found = settings()
    try:
        witnesses = {*(witness.key for witness in witnesses_of(found)), *(read_key(text) for text in keys)}
    except Unproved as error:
        raise SettingsError(str(error)) from error
    roots = read_roots(found.stamp_roots.read_bytes()) if found.stamp_url else []
    wanted = found.witnesses_needed if needed is None else needed
    archives = found.archive if found.archive.is_dir() else None
    return Demand(tuple(witnesses), wanted, tuple(roots), system_clock(), archives)


@app.command("key")
def key() -> None:
    """Khóa công khai của sổ, để kiểm chứng và để làm nhân chứng · the ledger's public key, to verify with and to witness with."""
    from lienthong.ledger.standalone import ED25519, Key
    from lienthong.web.keys import ledger_signer

    signer = ledger_signer(settings())
    typer.echo(Key(signer.origin, ED25519, signer.public_key).text)


@app.command("prove")
def prove(position: int) -> None:
    """Bằng chứng một bản ghi nằm trong sổ, kiểm được mà không cần hệ thống · proof that an entry is in the ledger, to be checked without the platform."""
    import json
    from base64 import b64encode

    from psycopg import IsolationLevel

    from lienthong.store import ledger
    from lienthong.store.sequencing import Sequencer

    place = workshop()
    Sequencer(place.database, place.signer, place.clock).catch_up()
    with place.database.connect() as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        proof = ledger.prove(connection, place.signer, position)
    document = {
        "position": proof.position,
        "body": proof.body,
        "proof": [b64encode(step).decode() for step in proof.path],
        "checkpoint": proof.checkpoint,
        "public_key": b64encode(place.signer.public_key).decode(),
    }
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1))


@app.command("archive")
def archive(
    after: Annotated[int, typer.Option(help="Nội dung cũ hơn bao nhiêu ngày · bodies older than so many days")] = 90,
) -> None:
    """Đưa nội dung cũ vào tệp lưu trữ, bỏ những gì hết thời hạn · put old bodies into archives, let go what may."""
    from lienthong.pipeline.archiving import archive_ledger

    found = settings()
    done = archive_ledger(workshop(), found.archive, after, found.retention)
    out.print(
        say(
            f"Đã ghi {done.written} tệp, bỏ nội dung {done.removed} bản ghi, hủy {done.dropped} tệp hết hạn.",
            f"{done.written} files written, {done.removed} bodies let go, {done.dropped} files destroyed whose term is over.",
        ),
        soft_wrap=True,
    )


@app.command("export")
def export(
    path: Path,
    begins: Annotated[int, typer.Option(help="Từ bản ghi · from an entry, the size of a checkpoint")] = 0,
) -> None:
    """Xuất sổ ra một tệp tự chứng minh được, cho kiểm toán · write the ledger to one file that proves itself, for an auditor."""
    from psycopg import IsolationLevel

    from lienthong.store import archiving

    place = workshop()
    with place.database.connect() as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        ends = archiving.newest_size(connection)
        if not 0 <= begins < ends or not archiving.is_checkpoint(connection, begins):
            raise LedgerError(say(f"Không có điểm chốt ở {begins}.", f"No checkpoint is of size {begins}."))
        archiving.write_file(connection, place.signer, path, begins, ends, "")
    out.print(say(f"Đã xuất {ends - begins} bản ghi.", f"{ends - begins} entries are written."))


@app.command("watch")
def watch(
    url: str,
    log: Annotated[str, typer.Option("--key", help="Khóa của sổ · the log's key")],
    kept: Annotated[Path, typer.Option(help="Tệp giữ điểm chốt đã thấy · the file that keeps what was seen")] = Path("checkpoint-seen.txt"),
    witness: Annotated[list[str] | None, typer.Option(help="Khóa nhân chứng · a witness's key")] = None,
    needed: Annotated[
        int | None, typer.Option(help="Số nhân chứng phải ký; không nêu: tất cả · how many must have signed; without it: all")
    ] = None,
    other: Annotated[list[Path] | None, typer.Option(help="Điểm chốt thấy ở nơi khác · a checkpoint seen elsewhere")] = None,
    fresh: Annotated[
        float, typer.Option(help="Điểm chốt được cũ tối đa bao nhiêu giây; 0: không xét · how old it may be, in seconds; 0: any age")
    ] = 0,
    every: Annotated[float, typer.Option(help="Giây giữa hai lần xem; 0: xem một lần · seconds between two looks; 0: once")] = 0,
) -> None:
    """Theo dõi sổ của một nền tảng khác: không lùi, không rẽ nhánh, đủ nhân chứng · watch a ledger served elsewhere: it must not go back or fork."""
    import time
    from datetime import timedelta

    import httpx

    from lienthong.clock import system_clock
    from lienthong.ledger.remote import RemoteLog
    from lienthong.ledger.standalone import Unproved, read_key, read_note
    from lienthong.web.watching import Monitor
    from lienthong.web.witness_following import SECONDS_TO_ANSWER, fetcher

    try:
        keys = tuple(read_key(text) for text in witness or [])
        others = [read_note(path.read_text("utf-8")) for path in other or []]
        wanted = len(keys) if needed is None else needed
        monitor = Monitor(read_key(log), kept, keys, wanted, timedelta(seconds=fresh) if fresh else None)
    except Unproved as error:
        raise SettingsError(str(error)) from error
    with httpx.Client(timeout=SECONDS_TO_ANSWER) as client:
        while True:
            try:
                found = monitor.look(RemoteLog(fetcher(client, url)), system_clock(), others)
                out.print(say(f"Sổ nối tiếp: {found.size} bản ghi, gốc {found.root.hex()}", f"The ledger continues: {found.size} entries, root {found.root.hex()}"), soft_wrap=True)  # fmt: skip
            except httpx.HTTPError as error:
                if not every:
                    raise LedgerError(f"{url} does not answer: {type(error).__name__}.") from error
                err.print(f"{url}: {type(error).__name__}", soft_wrap=True)
            if not every:
                return
            time.sleep(every)

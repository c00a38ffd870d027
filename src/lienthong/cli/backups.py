"""`lienthong backup …`: make a backup, list them, put one back to prove that it can be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import at, out, say, show
from lienthong.errors import StoreError

if TYPE_CHECKING:
    from lienthong.pipeline.backing import Keeping

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="JSON")]
Identity = Annotated[Path | None, typer.Option(help="Tệp khóa age mở bản sao lưu · the file of the age identity that opens it")]


@app.command("make")
def make(
    to: Annotated[Path | None, typer.Option(help="Thư mục khác với cấu hình · another folder than the settings'")] = None,
) -> None:
    """Sao lưu toàn bộ cơ sở dữ liệu vào một tệp · write a backup of the whole database."""
    from dataclasses import replace

    from lienthong.pipeline import backing

    keeping = _keeping(None)
    made = backing.make(workshop(), keeping if to is None else replace(keeping, folder=to), who())
    out.print(
        say(
            f"Bản sao lưu {made.backup}: {made.file_name}, {made.bytes:,} byte, {made.ledger_size} bút toán, {made.seconds:.1f} giây.",
            f"Backup {made.backup}: {made.file_name}, {made.bytes:,} bytes, {made.ledger_size} ledger entries, {made.seconds:.1f} s.",
        ),
        soft_wrap=True,
    )
    if not made.is_sealed:
        out.print(say("Chưa mã hóa: đặt LIENTHONG_BACKUP_RECIPIENTS.", "Not encrypted: set LIENTHONG_BACKUP_RECIPIENTS."))


@app.command("list")
def listed(as_json: AsJson = False) -> None:
    """Các bản sao lưu và lần diễn tập khôi phục gần nhất của mỗi bản · backups, and the newest rehearsal of each."""
    from lienthong.store import backing

    with workshop().database.connect() as connection:
        found, tried = backing.backups(connection), backing.rehearsals(connection, 1_000)
    newest = {each.backup: each for each in reversed(tried)}
    if as_json:
        told = [each._asdict() | {"rehearsed": newest[each.backup]._asdict() if each.backup in newest else None} for each in found]
        typer.echo(json.dumps(told, default=str, ensure_ascii=False))
        return
    rows = []
    for each in found:
        rehearsed = newest.get(each.backup)
        words = "" if rehearsed is None else f"{at(rehearsed.at)} {say(rehearsed.said_vi, rehearsed.said_en)}"
        sealed = say("có", "yes") if each.is_sealed else say("không", "no")
        rows.append((str(each.backup), at(each.made_at), each.file_name, f"{each.bytes:,}", sealed, str(each.ledger_size), words))
    show(
        (("Số", "Number"), ("Lúc", "Made"), ("Tệp", "File"), ("Byte", "Bytes"), ("Mã hóa", "Encrypted"), ("Bút toán", "Entries"), ("Diễn tập", "Rehearsed")),
        rows,
    )  # fmt: skip


@app.command("rehearse")
def rehearse(
    number: Annotated[int | None, typer.Argument(help="Số bản sao lưu; bỏ trống: bản mới nhất · its number; none: the newest")] = None,
    identity: Identity = None,
) -> None:
    """Khôi phục thử vào cơ sở dữ liệu riêng, tính lại sổ, đếm lại · put one back into a database of its own, verify and count."""
    from lienthong.pipeline import backing

    done = backing.rehearse(workshop(), _keeping(identity), who(), number)
    if not done.is_whole:
        raise StoreError(say(f"Bản sao lưu {done.backup}: {done.said_vi}", f"Backup {done.backup}: {done.said_en}"))
    out.print(
        say(
            f"Bản sao lưu {done.backup} khôi phục được trọn vẹn: {done.ledger_size} bút toán, {done.records} bản ghi, {done.seconds:.1f} giây.",
            f"Backup {done.backup} came back whole: {done.ledger_size} ledger entries, {done.records} records, {done.seconds:.1f} s.",
        ),
        soft_wrap=True,
    )


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="Tệp sao lưu · the backup's file")],
    into: Annotated[str, typer.Option(help="Địa chỉ một cơ sở dữ liệu trống · the URL of an empty database")],
    identity: Identity = None,
) -> None:
    """Khôi phục vào một cơ sở dữ liệu trống · put a backup into an empty database."""
    from lienthong.store import Database, backing

    place = Database(into)
    if backing.has_tables(place):
        raise StoreError(say("Cơ sở dữ liệu đích không trống.", "The database to restore into is not empty."))
    backing.put_back(file, place, _keeping(identity).identities)
    place.apply_schema()
    out.print(say("Đã khôi phục. Hãy chạy `lienthong ledger verify` trên đó.", "Restored. Run `lienthong ledger verify` over it."))


def _keeping(identity: Path | None) -> Keeping:
    from dataclasses import replace

    from lienthong.web.duties import keeping_of

    found = settings()
    return keeping_of(found if identity is None else replace(found, backup_identity_file=str(identity)))

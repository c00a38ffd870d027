"""`lienthong ledger …`: recompute everything, name what does not fit."""

from __future__ import annotations

import typer

from lienthong.cli.opening import workshop
from lienthong.cli.words import out, say
from lienthong.errors import LedgerError

app = typer.Typer(no_args_is_help=True)


@app.callback()
def room() -> None:
    """The ledger's commands."""


@app.command("verify")
def verify() -> None:
    """Tính lại toàn bộ sổ; nêu bản ghi đầu tiên không khớp · recompute the whole ledger; name the first entry that does not fit."""
    from psycopg import IsolationLevel

    from lienthong.ledger import verify as check
    from lienthong.store import ledger

    place = workshop()
    keys = {place.signer.key_id: place.signer.public_key}
    with place.database.connect() as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        head = ledger.read_head(connection)
        verdict = check(ledger.read_entries(connection), ledger.read_batches(connection), head, keys, place.signer.origin)
    if not verdict.ok:
        span = f"{verdict.first_misfit}" if verdict.first_misfit == verdict.last_misfit else f"{verdict.first_misfit}–{verdict.last_misfit}"
        raise LedgerError(say(f"Bản ghi {span}: {verdict.vi}", f"Entry {span}: {verdict.en}"), position=verdict.first_misfit)
    out.print(
        say(
            f"Sổ đúng: {verdict.size} bản ghi, gốc {verdict.root.hex()}",
            f"The ledger holds: {verdict.size} entries, root {verdict.root.hex()}",
        ),
        soft_wrap=True,
    )

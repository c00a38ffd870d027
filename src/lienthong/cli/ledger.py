"""`lienthong ledger …`: recompute everything, name what does not fit."""

from __future__ import annotations

from contextlib import suppress

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

    from lienthong.store import ledger
    from lienthong.store.sequencing import Sequencer

    place = workshop()
    with suppress(LedgerError):  # an edge that is damaged is what verification names
        Sequencer(place.database, place.signer, place.clock).catch_up()
    with place.database.connect() as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        verdict = ledger.verify_ledger(connection, place.signer)
    if not verdict.ok:
        span = f"{verdict.first_misfit}" if verdict.first_misfit == verdict.last_misfit else f"{verdict.first_misfit}–{verdict.last_misfit}"
        raise LedgerError(say(f"Bản ghi {span}: {verdict.vi}", f"Entry {span}: {verdict.en}"), position=verdict.first_misfit)
    if verdict.foreign:
        batches = ", ".join(str(number) for number in verdict.foreign[:20])
        raise LedgerError(
            say(
                f"Sổ đúng, nhưng có lô không do nền tảng ghi nằm ngoài sổ: {batches}.",
                f"The ledger holds, but batches the platform did not write lie beside it: {batches}.",
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

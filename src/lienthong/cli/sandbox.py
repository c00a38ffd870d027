"""`lienthong sandbox …`: the practice space beside production, with a database of its own."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from lienthong.cli.opening import settings, who
from lienthong.cli.words import out, say

if TYPE_CHECKING:
    from lienthong.pipeline import Workshop
    from lienthong.settings import Settings

app = typer.Typer(no_args_is_help=True)
DATABASE = "lienthong_sandbox"
HANDED_ON = (
    "environment", "accept_synthetic_ids", "home", "database_url", "agreements", "port", "base_url", "sandbox", "syncs", "witnesses", "stamp_url",
    "nats_url", "ledger_key", "witnesses_needed", "archive", "backups",
)  # fmt: skip


@app.command("fill")
def fill() -> None:
    """Lập vùng thực hành: dữ liệu giả định theo hợp đồng · fill the sandbox with rows invented from the contracts."""
    from lienthong.contracts.indicators import load_indicators
    from lienthong.pipeline import sandbox
    from lienthong.reports.measures import NAMES

    found = settings_of_sandbox(settings())
    place = _workshop(found)
    indicators = [each for each in load_indicators(found.indicators, place.contracts, NAMES).values() if each.formula]
    rows = sandbox.fill(
        place,
        found.agreements,
        sandbox.practice_system(found.instance, found.member_class),
        models=settings().models,
        indicators=indicators,
        on_step=lambda step: out.print(f"  {step}"),
    )
    out.print(say(f"{rows} hàng giả định, không ai có thật.", f"{rows} invented rows, nobody in them exists."))


@app.command("reset")
def reset() -> None:
    """Đặt vùng thực hành về như lúc đầu, trong vài giây · put the sandbox back, within seconds."""
    from lienthong.pipeline import sandbox

    sandbox.reset(_workshop(settings_of_sandbox(settings())), who())
    out.print(say("Đã đặt lại.", "Put back."))


@app.command("serve")
def serve() -> None:
    """Mở vùng thực hành, lập trước nếu chưa có · serve the sandbox, filling it first where it is not."""
    from lienthong.store import sandbox as store
    from lienthong.web.serve import serve as run

    found = settings_of_sandbox(settings())
    with _workshop(found).database.connect() as connection:
        is_filled = store.is_marked(connection)
    if not is_filled:
        fill()
    os.environ.update({f"LIENTHONG_{name.upper()}": _text(getattr(found, name)) for name in HANDED_ON})
    run(found)


def settings_of_sandbox(found: Settings) -> Settings:
    """Production's settings turned: a database, a home, keys, agreements and a port of its own; nothing leads outward."""
    from lienthong.errors import SettingsError
    from lienthong.store.embedded import EmbeddedServer

    url = found.sandbox_database_url
    if not url and found.database_url:
        raise SettingsError(
            "The sandbox needs a database of its own.",
            hint="Name an empty one in LIENTHONG_SANDBOX_DATABASE_URL, as in the how-to `hold-a-course`.",
        )
    if url and url == found.database_url:
        raise SettingsError("The sandbox's database is production's.", hint="Name another in LIENTHONG_SANDBOX_DATABASE_URL.")
    if not url:
        server = EmbeddedServer(found.home)
        server.start()
        url = server.create_database(DATABASE)
    home = found.home / "sandbox"
    home.mkdir(parents=True, exist_ok=True)
    return replace(
        found, environment="sandbox", accept_synthetic_ids=True, home=home, database_url=url, agreements=home / "agreements",
        port=found.sandbox_port, base_url=found.sandbox_url, sandbox=True, syncs=home / "syncs", witnesses="", stamp_url="", nats_url="",
        ledger_key="", witnesses_needed=0, archive=home / "ledger-archive", backups=home / "backups",
    )  # fmt: skip


def _workshop(found: Settings) -> Workshop:
    from lienthong.store import open_database
    from lienthong.web.services import make_workshop

    return make_workshop(found, open_database(found))


def _text(value: object) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)

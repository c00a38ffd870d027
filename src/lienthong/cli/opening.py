"""Opens what a command works on: settings, contracts, database, keys."""

from __future__ import annotations

import getpass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from click import get_current_context

from lienthong.errors import LienthongError, NotFound
from lienthong.log import get_logger
from lienthong.settings import Settings, read_settings

if TYPE_CHECKING:
    from lienthong.pipeline import Workshop


def settings() -> Settings:
    """The settings of this process."""
    from lienthong.log import configure_logging

    found = read_settings()
    configure_logging(found.log_level)
    return found


def workshop() -> Workshop:
    """A workshop over the database of the settings, with the contracts of `LIENTHONG_DATASETS`."""
    from lienthong.store import open_database
    from lienthong.web.services import make_workshop

    found = settings()
    made = make_workshop(found, open_database(found))
    context = get_current_context(silent=True)
    if context is not None:
        context.call_on_close(lambda: _leave_checkpoint(made))
    return made


def _leave_checkpoint(made: Workshop) -> None:
    """What a command did has its place in the ledger when it ends, whether a server runs or not."""
    from psycopg import Error

    from lienthong.store.sequencing import Sequencer

    try:
        Sequencer(made.database, made.signer, made.clock).catch_up()
    except (Error, LienthongError) as error:  # the command has ended and said how; the next sequencer takes what waits
        get_logger("sequencer").warning("checkpoint_not_made", error=type(error).__name__)


def unknown_dataset(place: Workshop, dataset: str) -> NotFound:
    """There is no such dataset; the nearest one's name, or how to see them all."""
    near = get_close_matches(dataset, place.contracts, n=1)
    return NotFound(
        f"There is no contract of `{dataset}`.",
        hint=f"Did you mean `{near[0]}`?" if near else "`lienthong status` lists all datasets.",
        vi=f"Không có hợp đồng của `{dataset}`.",
        hint_vi=f"Có phải là `{near[0]}`?" if near else "`lienthong status` liệt kê mọi bộ dữ liệu.",
    )


def who() -> str:
    """The person at the terminal, for the ledger."""
    return getpass.getuser()

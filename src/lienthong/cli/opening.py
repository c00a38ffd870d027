"""Opens what a command works on: settings, contracts, database, keys."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

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
    return make_workshop(found, open_database(found))


def who() -> str:
    """The person at the terminal, for the ledger."""
    return getpass.getuser()

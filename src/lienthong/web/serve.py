"""Runs the application on granian, one worker; stops cleanly on SIGINT and SIGTERM.

What the application is made of is imported by the worker alone: the process that watches it needs none of that, and starting is twice as quick.
"""

from __future__ import annotations

import gc
import socket
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes

from lienthong.errors import SettingsError
from lienthong.settings import Settings, read_settings

if TYPE_CHECKING:
    from lienthong.web.app import App

BACKLOG = 1024
COLLECT_AFTER = (
    20_000,
    20,
    50,
)  # a request leaves no cycles behind: looking for them every 700 objects took a twentieth of a look-up (measured)


def application() -> App:
    """The application of this process's environment; granian calls it in its worker."""
    from lienthong.log import configure_logging  # noqa: PLC0415 # see the head of this file
    from lienthong.store import open_database  # noqa: PLC0415
    from lienthong.web.app import create_app  # noqa: PLC0415
    from lienthong.web.services import make_services  # noqa: PLC0415

    settings = read_settings()
    configure_logging(settings.log_level)
    app = create_app(make_services(settings, open_database(settings)))
    gc.collect()
    gc.freeze()  # what is loaded now stays: the collector need not walk it again and again (a fifth of a page's time, measured)
    gc.set_threshold(*COLLECT_AFTER)
    return app


def check_port(settings: Settings) -> None:
    """Raises SettingsError when the port is taken or not ours to take."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SettingsError(
                f"Port {settings.port} on {settings.host} cannot be used: {error.strerror}.",
                hint="Choose another with LIENTHONG_PORT, or stop the program that holds it.",
            ) from error


def serve(settings: Settings) -> None:
    """Serve until stopped. The worker reads the same settings from the environment. Raises SettingsError for a port that is taken."""
    check_port(settings)
    Granian(
        "lienthong.web.serve:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        runtime_mode=RuntimeModes.st,  # with one worker, more threads of its own only wait for each other (a twentieth of a look-up, measured)
        http=HTTPModes.http1,  # neither HTTP/2 without TLS nor web sockets are served: not looking for them is quicker
        websockets=False,
        workers=1,
        backlog=BACKLOG,
        factory=True,
        log_access=False,
        log_level="warning",  # type: ignore[arg-type] # granian takes the level's name
        respawn_failed_workers=True,
    ).serve()

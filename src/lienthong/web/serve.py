"""Runs the application on uvicorn, in as many processes as the settings say; stops cleanly on SIGINT and SIGTERM.

What the application is made of is imported by the workers alone: the process that watches them needs none of that, and starting is twice as quick.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from lienthong.errors import SettingsError
from lienthong.memory import keep_what_is_loaded
from lienthong.settings import Settings, read_settings

if TYPE_CHECKING:
    from lienthong.web.app import App

BACKLOG = 1024
SECONDS_TO_END = 10  # for answers that are under way when the server is told to stop


def application() -> App:
    """The application of this process's environment; each worker calls it once."""
    _belong_to_parent()
    gc.disable()  # what loading makes stays: looking through it again and again took a seventh of the start (measured)
    from lienthong.log import configure_logging  # noqa: PLC0415 # see the head of this file
    from lienthong.store import open_database  # noqa: PLC0415
    from lienthong.web.app import create_app  # noqa: PLC0415
    from lienthong.web.services import make_services  # noqa: PLC0415

    settings = read_settings()
    configure_logging(settings.log_level)
    app = create_app(make_services(settings, open_database(settings)))
    keep_what_is_loaded()
    gc.enable()
    return app


def _belong_to_parent() -> None:
    """A worker ends when its watching process says so, and not otherwise.

    Ctrl-C in a terminal reaches the watching process alone. One that is killed takes its workers along: nobody would stop them any more, and
    the port would stay taken.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    os.setpgid(0, 0)

    def await_end() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=await_end, daemon=True).start()


def bound_socket(settings: Settings) -> socket.socket:
    """The socket to listen on. Raises SettingsError when the port is taken or not ours to take."""
    bound = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise SettingsError(
            f"Port {settings.port} on {settings.host} cannot be used: {error.strerror}.",
            hint="Choose another with LIENTHONG_PORT, or stop the program that holds it.",
            vi=f"Không dùng được cổng {settings.port} tại {settings.host}: {error.strerror}.",
            hint_vi="Chọn cổng khác bằng LIENTHONG_PORT, hoặc dừng chương trình đang giữ cổng này.",
        ) from error
    bound.set_inheritable(True)
    return bound


def serve(settings: Settings, target: str = "lienthong.web.serve:application") -> None:
    """Serve until stopped. The workers read the same settings from the environment. Raises SettingsError for a port that is taken."""
    options: dict[str, Any] = {"http": "lienthong.web.wire:Wire"}
    if settings.tls_certificate or settings.tls_client_authorities or settings.tls_key:
        from lienthong.web.secure_wire import tls_options  # noqa: PLC0415 # where a proxy ends TLS none of it is needed

        options |= tls_options(settings)
    config = Config(
        target,
        factory=True,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        ws="none",
        interface="asgi3",
        lifespan="on",
        workers=settings.workers,
        backlog=BACKLOG,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="error",
        timeout_graceful_shutdown=SECONDS_TO_END,
        **options,
    )
    Multiprocess(config, sockets=[bound_socket(settings)]).run()

"""`lienthong key new` and `lienthong token`: what an integrator needs to ask the API."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from lienthong.cli.words import out, say
from lienthong.errors import SettingsError

app = typer.Typer(no_args_is_help=True)


@app.callback()
def room() -> None:
    """Keys of a subsystem."""


@app.command("new")
def new(path: Annotated[Path, typer.Argument(help="Tệp khóa riêng sẽ tạo · the private key file to make")]) -> None:
    """Tạo một cặp khóa: phần riêng vào tệp, phần công khai in ra · make a key pair: private part to a file, public part printed."""
    from lienthong.access import new_key_pair

    private, public = new_key_pair()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"`{path}` cannot be made: {error.strerror}.", hint="A key is never written over another.") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(private, file)
    out.print_json(json.dumps({"jwk": public}))


def token(
    subsystem: Annotated[str, typer.Argument(help="VN/GOV/H10.12/tro-cap")],
    key: Annotated[Path, typer.Option(help="Tệp khóa riêng · private key file", exists=True)],
    url: Annotated[str, typer.Option(help="Địa chỉ máy chủ · the server's address")] = "http://127.0.0.1:8000",
) -> None:
    """Lấy mã truy cập cho một hệ thống · fetch an access token for a subsystem."""
    typer.echo(fetch_token(subsystem, json.loads(key.read_text("utf-8")), url))


def fetch_token(subsystem: str, private: dict[str, object], url: str) -> str:
    """An access token from a server. Raises SettingsError with the server's words when it refuses."""
    import httpx

    from lienthong.access import ASSERTION_TYPE, make_assertion

    endpoint = url.rstrip("/") + "/oauth/token"
    assertion = make_assertion(private, subsystem, endpoint, datetime.now(UTC))
    form = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    try:
        answer = httpx.post(endpoint, data=form, timeout=20)
    except httpx.HTTPError as error:
        raise SettingsError(say(f"Không nối được {endpoint}.", f"No answer from {endpoint}."), hint=type(error).__name__) from error
    if answer.status_code != 200:
        raise SettingsError(say(f"Máy chủ từ chối: {answer.text[:300]}", f"The server refuses: {answer.text[:300]}"))
    found: str = answer.json()["access_token"]
    return found

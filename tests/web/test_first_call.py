"""`docs/how-to/make-the-first-call.md`, word for word, against a real server."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import httpx
import pytest

from lienthong.store.embedded import EmbeddedServer
from tests.conftest import fresh_database, open_folder
from tests.web.served import AGREEMENT, RECORDS, Served, serving

GUIDE = Path(__file__).parents[2] / "docs/how-to/make-the-first-call.md"
BLOCKS = re.findall(r"^```(sh|python|http)\n(.*?)^```$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
SUBSYSTEM = "VN/GOV/H10.12/cuoc-goi-dau"


@dataclass
class Newcomer:
    """Who follows the guide, in a folder of their own."""

    served: Served
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def sh(self, script: str) -> str:
        return self.run("bash", "-euc", script)

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def newcomer(postgres_server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newcomer]:
    with fresh_database(postgres_server) as url, open_folder() as folder, serving(url, folder) as served:
        made = Newcomer(served, tmp_path_factory.mktemp("newcomer"))
        made.environment = {
            "LIENTHONG": served.base, "SUBSYSTEM": SUBSYSTEM, "RECORD": f"{RECORDS}/7%2FGP-UBND", "PURPOSE": "tra-cuu", "OFFICIAL": "can-bo-01",
        }  # fmt: skip
        key = json.loads(made.sh(blocks("sh")[1]))
        for name, document in {
            "subsystems/two.yaml": {"identifier": SUBSYSTEM, "title_vi": "Lần đầu", "title_en": "First", "keys": [{"jwk": key}]},
            "agreements/two.yaml": {**AGREEMENT, "id": "TT-2", "consumer": SUBSYSTEM},
        }.items():
            (folder / "agreements" / name).write_text(json.dumps(document, ensure_ascii=False), "utf-8")
        for _ in range(600):
            if '"values"' in made.sh(blocks("sh")[2]):  # until the key and the agreement are in force
                break
        yield made


def blocks(kind: str) -> list[str]:
    return [text for each, text in BLOCKS if each == kind]


def holder(answer: str) -> str:
    found: str = json.loads(answer)["values"]["holder"]
    return found


def test_with_curl(newcomer: Newcomer) -> None:
    assert holder(newcomer.sh(blocks("sh")[2])) == "Công ty số 7"


def test_in_python(newcomer: Newcomer) -> None:
    status, _, text = newcomer.run(sys.executable, "-c", blocks("python")[0]).partition(" ")
    assert (status, holder(text)) == ("200", "Công ty số 7")


def test_as_http(newcomer: Newcomer) -> None:
    signing = blocks("sh")[2].split("TOKEN=")[0] + 'printf %s "$ASSERTION"'
    known = {**newcomer.environment, "HOST": urlsplit(newcomer.served.base).netloc, "ASSERTION": newcomer.sh(signing)}
    ask, look_up = blocks("http")
    form = Template(ask).safe_substitute(known).rstrip("\n").partition("\n\n")[2]
    answer = sent(newcomer, Template(ask.rstrip("\n")).substitute({**known, "LENGTH": str(len(form))}))
    token = json.loads(answer.text)["access_token"]
    assert set(json.loads(answer.text)) == {"access_token", "token_type", "expires_in"}
    assert holder(sent(newcomer, Template(look_up).substitute({**known, "TOKEN": token})).text) == "Công ty số 7"


def sent(newcomer: Newcomer, message: str) -> httpx.Response:
    """The answer to these very bytes."""
    place = urlsplit(newcomer.served.base)
    assert place.hostname is not None
    with socket.create_connection((place.hostname, place.port or 80), timeout=60) as connection:
        connection.sendall(message.replace("\n", "\r\n").encode())
        with connection.makefile("rb") as reader:
            status = int(reader.readline().split()[1])
            headers = dict(line.decode().strip().lower().split(": ", 1) for line in iter(reader.readline, b"\r\n"))
            return httpx.Response(status, content=reader.read(int(headers["content-length"])))

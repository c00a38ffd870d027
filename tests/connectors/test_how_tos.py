"""Every source a how-to shows is one the platform takes, word for word: the contract reads, every option is known and fits.

Where the example's server or file would be asked, nobody answers: that is as far as a made-up address can be tried. The same
kinds of source are read from real servers in the other files of this folder.
"""

from __future__ import annotations

import re
import socket
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lienthong.connectors import ReadContext, connector_names, read
from lienthong.connectors.http_session import Session
from lienthong.connectors.secrets import Variables
from lienthong.contracts import Contract, Delivery
from lienthong.contracts.load import build
from lienthong.errors import HostileInputError, SourceError

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to"
BLOCK = re.compile(r"^( *)```yaml\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"\$\{(\w+)\}")
SECRET = re.compile(r"secret:file/([\w-]+)")
REACHED = (
    "no such host",
    "cannot be reached",
    "no file found",
    "is not there",
    "cannot be read",
    "there is no secret",
    "is not set",
    "has no secret",
)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5PMKBy4jmHsaF4uTcFU1hOYY2IsJUbv8nnXzIrpZ4h"


def shown() -> Iterator[tuple[str, dict[str, Any]]]:
    """(page, source) of every source in a block of a how-to."""
    for page in sorted(HOW_TO.glob("*.md")):
        for _, block in BLOCK.findall(page.read_text("utf-8")):
            found = yaml.safe_load(textwrap.dedent(block))
            sources = found.get("sources", [found]) if isinstance(found, dict) else found
            for source in sources if isinstance(sources, list) else []:
                if isinstance(source, dict) and "connector" in source:
                    yield page.name, {"name": "example", **source}


SHOWN = list(shown())


def contract_with(source: dict[str, Any]) -> Contract:
    document = yaml.safe_load((ROOT / "datasets" / "code-lists" / "religions" / "contract.yaml").read_text("utf-8"))
    for each in document["customProperties"]:
        if each["property"] == "sources":
            each["value"] = [source]
    return build(document, "how-to", connector_names())


def value_of(name: str, connector: str, folder: Path) -> str:
    """What a reader would put into a variable."""
    if "HOST_KEY" in name:
        return KEY
    if connector in ("sql_database", "postgresql_log"):
        return "postgresql://kho@db.example/kho"
    return "https://may-chu.example" if connector.startswith("xroad") else str(folder / name)


def test_how_tos_show_a_source_of_every_kind_people_write() -> None:
    kinds = {source["connector"] for _, source in SHOWN}
    assert kinds >= {
        "access_file", "ckan", "csv_file", "excel_file", "http_json", "lienthong", "mqtt_stream", "nats_stream", "odata", "postgresql_log",
        "shapefile", "soap", "sql_database", "word_file", "xml_file", "xroad_rest",
    }  # fmt: skip


@pytest.mark.parametrize(("page", "source"), SHOWN, ids=[f"{page}-{source['name']}" for page, source in SHOWN])
def test_a_source_shown_is_understood_to_the_last_word(
    page: str, source: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nobody(*_: object, **__: object) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such host")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    monkeypatch.setattr(Session, "_wait", lambda *_: None)  # between attempts to reach who is not there
    for secret in SECRET.findall(repr(source)):
        (tmp_path / secret).write_text("mat-khau", "utf-8")
        (tmp_path / secret).chmod(0o600)
    contract = contract_with(source)
    values = {name: value_of(name, source["connector"], tmp_path) for name in VARIABLE.findall(repr(source))}
    with pytest.raises((SourceError, HostileInputError)) as told:
        list(read(contract.sources[0], ReadContext(Variables(values, tmp_path), spool=tmp_path)))
    assert any(words in str(told.value) for words in REACHED), f"{page}: {told.value}"


def test_a_word_that_is_wrong_would_be_seen() -> None:
    page, source = next(each for each in SHOWN if each[1]["connector"] == "sql_database")
    contract = contract_with({**source, "options": {**source["options"], "kee": ["id"]}})
    assert contract.sources[0].delivery is Delivery.SNAPSHOT
    values = dict.fromkeys(VARIABLE.findall(repr(source)), "postgresql://kho@db.example/kho")
    with pytest.raises(SourceError, match="kee"):
        list(read(contract.sources[0], ReadContext(values)))
    assert page

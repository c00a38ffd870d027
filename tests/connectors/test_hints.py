"""Who tries a source is told what to do next in the language asked for."""

from __future__ import annotations

import re
from pathlib import Path

import lienthong.connectors
from lienthong.connectors.hints import HINTS, in_vietnamese

FOLDER = Path(lienthong.connectors.__file__).parent
OURS = (
    "addresses",
    "archive",
    "arrival",
    "files",
    "folder",
    "folder_ftp",
    "folder_http",
    "folder_mail",
    "folder_s3",
    "folder_sftp",
    "mqtt_stream",
    "nats_stream",
    "spool",
)


def test_every_hint_of_places_and_streams_has_its_vietnamese() -> None:
    texts = {name: (FOLDER / f"{name}.py").read_text("utf-8") for name in OURS}
    told = {hint for text in texts.values() for hint in re.findall(r'hint=\s*"((?:[^"\\]|\\.)*)"', text)}
    assert told
    assert told - set(HINTS) == set()


def test_a_hint_with_a_name_in_it_keeps_the_name() -> None:
    assert in_vietnamese("Set LIENTHONG_SOURCE_X in the environment.") == "Đặt LIENTHONG_SOURCE_X trong môi trường."
    assert in_vietnamese("chmod 600 var/secrets/x") == "chmod 600 var/secrets/x"

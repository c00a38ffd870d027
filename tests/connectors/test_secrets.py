"""Secrets of sources: found where they stand, refused where they do not belong, never shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from lienthong.connectors import ReadContext, expand, source_variables
from lienthong.connectors.options import Options
from lienthong.contracts import Source
from lienthong.contracts.literal_secrets import literal_secrets
from lienthong.errors import SourceError
from tests.connectors.reading import make_source, read_all


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "secrets"
    place.mkdir(mode=0o700)
    (place / "bhxh").write_text("mật-khẩu\n", encoding="utf-8")
    (place / "bhxh").chmod(0o600)
    return place


def test_a_secret_is_read_from_its_file_whole_or_inside_a_text(folder: Path) -> None:
    variables = source_variables({"LIENTHONG_SOURCE_HOST": "may-chu"}, folder)
    assert expand("secret:file/bhxh", variables) == "mật-khẩu"
    assert expand("sftp://a:${secret:file/bhxh}@${HOST}/x", variables) == "sftp://a:mật-khẩu@may-chu/x"
    assert expand("secret:env/HOST", variables) == "may-chu"


def test_a_file_others_can_read_or_write_to_is_refused(folder: Path) -> None:
    variables = source_variables({}, folder)
    (folder / "bhxh").chmod(0o640)
    with pytest.raises(SourceError, match=r"can be read by others.*chmod 600"):
        expand("secret:file/bhxh", variables)
    (folder / "bhxh").chmod(0o600)
    folder.chmod(0o777)
    with pytest.raises(SourceError, match="others may write to"):
        expand("secret:file/bhxh", variables)


@pytest.mark.parametrize(
    "name", ["secret:file/../x", "secret:file/", "secret:nowhere/x", "secret:file//etc/passwd", "secret:file/none", "secret:env/HOME"]
)
def test_what_is_no_secret_of_ours_is_told_by_name(folder: Path, name: str) -> None:
    with pytest.raises(SourceError, match="Bí mật/secret"):
        expand(name, source_variables(dict(os.environ), folder))


def test_a_link_or_a_pipe_is_no_secret(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "bhxh")
    os.mkfifo(folder / "pipe", 0o600)
    for name in ("link", "pipe"):
        with pytest.raises(SourceError, match=r"cannot be read|no regular file"):
            expand(f"secret:file/{name}", source_variables({}, folder))


class InMemory(KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # of the library
        self.kept = {("lienthong", "bhxh"): "mật-khẩu"}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[(service, username)] = password


@pytest.fixture
def ring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    yield
    keyring.set_keyring(before)


@pytest.mark.usefixtures("ring")
def test_a_secret_is_read_from_the_keyring() -> None:
    assert expand("secret:keyring/bhxh", source_variables({})) == "mật-khẩu"
    with pytest.raises(SourceError, match="is not in the keyring"):
        expand("secret:keyring/none", source_variables({}))


def test_no_message_shows_what_a_variable_held() -> None:
    source = Source("file", "csv_file", "x", options={"header_row": "${BAD}", "folder": {"order": "${BAD}"}})
    context = ReadContext({"BAD": "bí-mật"})
    for options in (Options.of(source, context), Options.of_folder(source, context)):
        with pytest.raises(SourceError) as told:
            options.choice("order", ("name",), "name")
            options.number("header_row", 1)
        assert "bí-mật" not in str(told.value)
        assert "${BAD}" in str(told.value)


@pytest.mark.parametrize(
    ("location", "options", "places"),
    [
        ("sftp://a:thật@h/x", {}, ["location"]),
        ("sftp://a:${P}@h/x", {"folder": {"password": "${P}"}, "auth": {"token": "secret:file/x"}}, []),
        ("x", {"folder": {"password": "thật", "key_password": "k"}}, ["options.folder.password", "options.folder.key_password"]),
        ("x", {"auth": {"client_secret": "a${B}", "token_url": "https://x"}}, ["options.auth.client_secret"]),
        ("x", {"list": [{"token": 12}]}, ["options.list[0].token"]),
    ],
)
def test_a_secret_in_a_contract_is_found_by_its_place(location: str, options: dict[str, object], places: list[str]) -> None:
    assert list(literal_secrets(location, options)) == places


def test_a_variable_that_holds_no_secret_works_as_ever(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    assert read_all(make_source("csv_file", "${HERE}/a.csv"), variables={"HERE": str(tmp_path)}).rows == [{"a": "1", "b": "2"}]

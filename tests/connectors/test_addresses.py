"""Databases and services may be anywhere but where a cloud keeps its keys; what was judged is what is connected to."""

from __future__ import annotations

import socket
from typing import Any

import psycopg
import pytest

from lienthong.connectors import ReadContext, read
from lienthong.connectors.http_session import Access, Limits, Session
from lienthong.connectors.sql_options import pinned
from lienthong.contracts import Delivery
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.reading import make_source

METADATA = [
    "169.254.169.254",
    "[fe80::1]",
    "[fd00:ec2::254]",
    "[::ffff:169.254.169.254]",
    "100.100.100.200",
    "[64:ff9b::a9fe:a9fe]",
    "trap.example",
]
OPTIONS: dict[str, Any] = {"table": "a.b", "key": ["id"]}


@pytest.fixture(autouse=True)
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(host: str, port: int, *_: object, **__: object) -> list[Any]:
        if host != "trap.example":
            raise OSError("no such host")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("203.0.113.7", "169.254.169.254")]

    def refuse(*_: object) -> None:
        raise AssertionError("something was connected to")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("host", METADATA)
@pytest.mark.parametrize("scheme", ["mariadb", "postgresql", "sqlserver", "oracle"])
def test_no_database_is_where_a_cloud_keeps_its_keys(host: str, scheme: str) -> None:
    with pytest.raises(HostileInputError, match="nothing was sent"):
        list(read(make_source("sql_database", f"{scheme}://kho:mat-khau@{host}/kho", **OPTIONS), ReadContext()))


@pytest.mark.parametrize(
    "place",
    [
        "postgresql:///kho?host=169.254.169.254",
        "postgresql://127.0.0.1/kho?hostaddr=169.254.169.254",
        "postgresql://10.0.0.1,169.254.169.254:5432/kho",
    ],
)
def test_every_host_a_location_names_is_judged(place: str) -> None:
    with pytest.raises(HostileInputError, match="nothing was sent"):
        list(read(make_source("sql_database", place, **OPTIONS), ReadContext()))
    with pytest.raises(HostileInputError, match="nothing was sent"):
        list(read(make_source("postgresql_log", place, Delivery.CHANGES, **OPTIONS, publication="p", slot="s"), ReadContext()))


def test_the_address_that_was_judged_is_the_one_a_database_is_asked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads elsewhere at the second look-up gains nothing: there is no look-up of the driver's own."""
    answers = iter(["203.0.113.7", "203.0.113.7"])
    reached: list[object] = []

    def lookup(host: str, port: int, *_: object, **__: object) -> list[Any]:
        del host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers, "169.254.169.254"), port))]

    def refuse(place: tuple[str, int], *_: object, **__: object) -> None:
        reached.append(place)
        raise OSError("nobody is there")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(SourceError, match="cannot be reached"):
        list(read(make_source("sql_database", "mariadb://kho:mat-khau@db.example/kho", **OPTIONS), ReadContext()))
    assert reached == [("203.0.113.7", 3306)]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("postgresql://kho:a%40b@db.example/kho", "postgresql://kho:a%40b@/kho?host=db.example&hostaddr=203.0.113.7&port="),
        (
            "postgresql://kho@a.example:5433,b.example/kho?sslmode=require",
            "postgresql://kho@/kho?sslmode=require&host=a.example,b.example&hostaddr=203.0.113.7,203.0.113.7&port=5433,",
        ),
        ("postgresql:///kho?host=db.example&port=5434", "postgresql:///kho?host=db.example&hostaddr=203.0.113.7&port=5434"),
        ("postgresql://[2001:db8::7]:5433/kho", "postgresql:///kho?host=2001:db8::7&hostaddr=2001:db8::7&port=5433"),
        ("postgresql:///kho?host=/run/postgresql", "postgresql:///kho?host=/run/postgresql"),
        ("postgresql://db.example/kho?hostaddr=203.0.113.9", "postgresql://db.example/kho?hostaddr=203.0.113.9"),
    ],
)
def test_postgresql_is_told_the_judged_address_beside_the_name(monkeypatch: pytest.MonkeyPatch, place: str, expected: str) -> None:
    def lookup(host: str, port: int, *_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host if ":" in host else "203.0.113.7", port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert pinned(place) == expected
    assert psycopg.conninfo.conninfo_to_dict(pinned(place))["dbname"] == "kho"


@pytest.mark.parametrize("host", METADATA)
def test_no_service_is_there_and_no_token_is_asked_for_there(host: str) -> None:
    limits = Limits(timeout_seconds=1, retries=0, max_bytes=1000)
    with Session(f"http://{host}/", Access("none"), limits) as session, pytest.raises(HostileInputError, match="nothing was sent"):
        session.get(f"http://{host}/latest/meta-data/", {}, "trang 1")
    access = Access("oauth2_client_credentials", token_url=f"http://{host}/token", client_id="a", client_secret="b")
    with Session("http://127.0.0.1:9/", access, limits) as session, pytest.raises(HostileInputError, match="nothing was sent"):
        session.get("http://127.0.0.1:9/", {}, "trang 1")


def test_a_name_nobody_knows_is_told_in_words() -> None:
    with (
        Session("http://nowhere.example/", Access("none"), Limits(1, 0, 1000)) as session,
        pytest.raises(SourceError, match="cannot be reached"),
    ):
        session.get("http://nowhere.example/", {}, "trang 1")

"""OData as versions 4, 3 and 2 write it, and a CKAN portal as its Action API is documented: small servers of the tests' own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lienthong.connectors import ReadContext, fingerprint, http_session
from lienthong.connectors.addresses import PRIVATE
from lienthong.connectors.outward import read_networks
from lienthong.contracts import Delivery
from lienthong.errors import HostileInputError, SourceError
from tests.connectors.http_services.test_http_services import Given, Register
from tests.connectors.reading import check_resuming, make_source, read_all

ROWS = [{"Ma": f"{n:03d}", "Ten": f"Lê {n}", "Von": n * 1.5, "Con": {"Xa": n}} for n in range(1, 13)]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Iterator[Register]:
    monkeypatch.setattr(http_session, "LONGEST_WAIT_SECONDS", 0.01)
    made = Register()
    yield made
    made.server.shutdown()
    made.server.server_close()


def said(document: Any, status: int = 200) -> Given:
    return status, json.dumps(document).encode(), {"Content-Type": "application/json"}


def part(query: dict[str, str]) -> tuple[list[dict[str, Any]], int | None]:
    begin = int(query.get("$skiptoken", 0))
    return ROWS[begin : begin + 5], begin + 5 if begin + 5 < len(ROWS) else None


def test_version_4_is_read_by_its_links_and_asked_in_the_order_of_the_key(register: Register) -> None:
    def answer(_m: str, _p: str, query: dict[str, str], _h: Any, _b: bytes) -> Given:
        rows, following = part(query)
        link = {"@odata.nextLink": f"so?$skiptoken={following}"} if following else {}
        return said({"@odata.context": "x", "value": [{"@odata.etag": "1", **row} for row in rows], **link})

    register.answer = answer
    source = make_source(
        "odata", f"{register.url}/odata/so", select=["Ma", "Von"], filter="Von gt 0", key=["Ma"], fields=["Ma", "Von", "Con/Xa"]
    )
    reading = read_all(source)
    assert reading.rows[0] == {"Ma": "001", "Von": "1.5", "Con/Xa": "1"}
    assert [row["Ma"] for row in reading.rows] == [row["Ma"] for row in ROWS]
    assert register.asked[0][1] == {"$filter": "Von gt 0", "$select": "Ma,Von", "$orderby": "Ma", "$format": "json"}
    check_resuming(source, (2, 5))


@pytest.mark.parametrize("version", [2, 3])
def test_older_versions_are_read_too_with_their_dates(register: Register, version: int) -> None:
    def answer(_m: str, _p: str, query: dict[str, str], _h: Any, _b: bytes) -> Given:
        rows, following = part(query)
        told = [{"__metadata": {"uri": "x"}, "Ma": row["Ma"], "Ngay": "/Date(1769842800000)/"} for row in rows]
        link = f"{register.url}/so?$skiptoken={following}" if following else None
        if version == 2:
            return said({"d": {"results": told, **({"__next": link} if link else {})}})
        return said({"odata.metadata": "x", "value": told, **({"odata.nextLink": link} if link else {})})

    register.answer = answer
    reading = read_all(make_source("odata", f"{register.url}/so"))
    assert len(reading.rows) == 12
    assert reading.rows[0] == {"Ma": "001", "Ngay": "2026-01-31T07:00:00.000Z"}


def test_what_changed_since_comes_by_the_delta_link_with_what_was_removed(register: Register) -> None:
    def answer(_m: str, _p: str, query: dict[str, str], headers: Any, _b: bytes) -> Given:
        if query.get("$deltatoken") == "1":
            removed = [{"@odata.context": "x#so/$deletedEntity", "id": "so('00''1')"}, {"@removed": {"reason": "deleted"}, "Ma": "002"}]
            return said({"value": [{"Ma": "099", "Ten": "Mới"}, *removed], "@odata.deltaLink": "so?$deltatoken=2"})
        if query.get("$deltatoken"):
            return said({"value": [], "@odata.deltaLink": "so?$deltatoken=2"})
        assert "$skiptoken" in query or "track-changes" in headers["Prefer"]
        rows, following = part(query)
        return said(
            {
                "value": rows,
                **({"@odata.nextLink": f"so?$skiptoken={following}"} if following else {"@odata.deltaLink": "so?$deltatoken=1"}),
            }
        )

    register.answer = answer
    source = make_source("odata", f"{register.url}/so", Delivery.CHANGES, key=["Ma"], fields=["Ma", "Ten"])
    whole = read_all(source)
    assert len(whole.rows) == 12
    later = read_all(source, after=whole.batches[-1].position)
    ended = [flag for batch in later.batches if batch.ended is not None for flag in batch.ended.to_pylist()]
    assert list(zip([row["Ma"] for row in later.rows], ended, strict=True)) == [("099", False), ("00'1", True), ("002", True)]
    assert read_all(source, after=later.batches[-1].position).rows == []


def test_a_service_without_delta_links_says_so(register: Register) -> None:
    register.answer = lambda *_: said({"value": ROWS[:2]})
    with pytest.raises(SourceError, match="no link for what changed"):
        read_all(make_source("odata", f"{register.url}/so", Delivery.CHANGES, key=["Ma"]))


@pytest.mark.parametrize(("document", "words"), [
    ({"error": {"code": "x"}}, "neither"), ({"value": 5}, "not the answer"), ([], "not the answer"),
    ({"value": [], "@odata.nextLink": "http://169.254.169.254/latest"}, "máy chủ khác"), ({"value": [], "@odata.nextLink": "so"}, "lead back"),
])  # fmt: skip
def test_answers_that_are_none_and_links_that_lead_away_are_refused(register: Register, document: Any, words: str) -> None:
    register.answer = lambda *_: said(document)
    with pytest.raises(SourceError, match=words):
        read_all(make_source("odata", f"{register.url}/so"))


# CKAN.


def portal(register: Register) -> None:
    """As https://docs.ckan.org/en/latest/maintaining/datastore.html and the Action API describe it."""

    def answer(_m: str, path: str, query: dict[str, str], headers: Any, _b: bytes) -> Given:
        if path == "/api/3/action/resource_show":
            if query["id"] != "r-1":
                return said({"success": False, "error": {"__type": "Not Found Error", "message": "Không thấy"}}, 404)
            return said({"success": True, "result": {"id": "r-1", "url": f"{register.url}/tai/so.csv", "url_type": "upload"}})
        if path == "/tai/so.csv":
            return 200, "ma,tên\n1,Lê\n2,Trần\n".encode(), {"Content-Type": "text/csv", "ETag": '"1"'}
        assert path == "/api/3/action/datastore_search"
        if headers.get("Authorization") != "khoa":
            return said({"success": False, "error": {"__type": "Authorization Error", "message": "Access denied"}}, 403)
        begin, limit = int(query["offset"]), int(query["limit"])
        wanted = json.loads(query.get("filters", "{}"))
        rows = [row for row in ROWS if all(row[name] == value for name, value in wanted.items())]
        fields = [{"id": "_id", "type": "int"}, {"id": "Ma", "type": "text"}, {"id": "Von", "type": "numeric"}]
        records = [{"_id": n, "Ma": row["Ma"], "Von": row["Von"]} for n, row in enumerate(rows[begin : begin + limit], begin + 1)]
        return said(
            {"success": True, "result": {"records": records, "fields": fields, "total": len(rows), "limit": limit, "offset": begin}}
        )

    register.answer = answer


def test_rows_of_a_datastore_come_page_by_page(register: Register) -> None:
    portal(register)
    auth = {"kind": "api_key", "header": "Authorization", "token": "khoa"}
    source = make_source("ckan", register.url, resource="r-1", page_size=5, auth=auth)
    reading = read_all(source)
    assert reading.rows[0] == {"Ma": "001", "Von": "1.5"}
    assert len(reading.rows) == 12
    check_resuming(source, (3, 5))
    assert len(read_all(make_source("ckan", register.url, resource="r-1", filters={"Ma": "003"}, auth=auth)).rows) == 1


def test_the_file_a_resource_names_is_read_by_the_reader_of_its_format(register: Register) -> None:
    portal(register)
    source = make_source("ckan", register.url, resource="r-1", read_as="csv_file")
    context = ReadContext(networks=(*PRIVATE, *read_networks("127.0.0.0/8")))
    from lienthong.connectors import read

    rows = [row for batch in read(source, context) for row in batch.table.to_pylist()]
    assert rows == [{"ma": "1", "tên": "Lê"}, {"ma": "2", "tên": "Trần"}]
    assert fingerprint(source, context) == fingerprint(source, context)


def test_refusals_of_a_portal_are_told_in_its_words(register: Register) -> None:
    portal(register)
    with pytest.raises(SourceError, match="403"):
        read_all(make_source("ckan", register.url, resource="r-1"))
    with pytest.raises(SourceError, match="404"):
        read_all(make_source("ckan", register.url, resource="r-2", read_as="csv_file"))
    register.answer = lambda *_: said({"success": False, "error": {"message": "hỏng"}})
    with pytest.raises(SourceError, match="hỏng"):
        read_all(make_source("ckan", register.url, resource="r-1"))


def test_endless_pages_are_bounded(register: Register) -> None:
    register.answer = lambda *_: said({"success": True, "result": {"records": [{"a": 1}], "fields": [{"id": "a"}], "total": 10_000}})
    with pytest.raises(HostileInputError, match="more than 4"):
        read_all(make_source("ckan", register.url, resource="r-1", max_pages=4))

"""OData v4 as its clients speak it: sets, filters, pages, keys, types, refusals in its own form."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from starlette.testclient import TestClient

from lienthong.errors import RequestError
from lienthong.pipeline import run_dataset
from lienthong.store.embedded import EmbeddedServer
from lienthong.web.doors.odata.filters import read_filter, read_order
from lienthong.web.doors.odata.paths import read_place
from tests.conftest import fresh_database, open_folder
from tests.web.counters import PART, READER, SENDER, Province, asking, entries, make_app, make_province

ROOT = "/odata/v4"
PEOPLE = f"{ROOT}/test_people"
CODES = f"{ROOT}/test_codes"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture(scope="module")
def province(postgres_server: EmbeddedServer) -> Iterator[Province]:
    with open_folder() as folder, fresh_database(postgres_server) as url:
        yield make_province(url, folder)


@pytest.fixture(scope="module")
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province)) as opened:
        yield opened


def get(client: TestClient, address: str, caller: str | None = READER, **options: str) -> Any:
    return client.get(address, params={f"${name}": value for name, value in options.items()}, headers=asking(caller) if caller else {})


def keys(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [row["record_no"] for row in answer.json()["value"]]


def test_the_service_document_lists_what_the_caller_may_list(client: TestClient) -> None:
    answer = get(client, ROOT + "/")
    assert answer.headers["odata-version"] == "4.0"
    assert answer.json() == {
        "@odata.context": "http://testserver/odata/v4/$metadata",
        "value": [
            {"name": "test_people", "title": "Người", "kind": "EntitySet", "url": "test_people"},
            {"name": "test_codes", "title": "Người", "kind": "EntitySet", "url": "test_codes"},
        ],
    } | {"value": answer.json()["value"]}
    assert [each["name"] for each in answer.json()["value"]] == ["test_people", "test_codes"]
    assert [each["name"] for each in get(client, ROOT, None).json()["value"]] == ["test_codes"]
    assert [each["name"] for each in get(client, ROOT, SENDER).json()["value"]] == ["test_codes"]


def types(client: TestClient, caller: str | None) -> dict[str, dict[str, str]]:
    schema = etree.fromstring(get(client, f"{ROOT}/$metadata", caller).content)
    return {
        each.get("Name"): {p.get("Name"): p.get("Type") for p in each.iter(EDM + "Property")} for each in schema.iter(EDM + "EntityType")
    }


def test_metadata_has_the_types_as_the_caller_sees_them(client: TestClient) -> None:
    assert types(client, READER)["test_people"] == {
        "record_no": "Edm.String", "full_name": "Edm.String", "born_on": "Edm.Date", "children": "Edm.Int64", "phone": "Edm.String",
    }  # fmt: skip
    assert types(client, PART)["test_people"] == {"record_no": "Edm.String", "full_name": "Edm.String", "born_on": "Edm.String"}
    assert list(types(client, None)) == ["test_codes"]


def capabilities(client: TestClient, caller: str) -> Any:
    return etree.fromstring(get(client, f"{ROOT}/$metadata", caller).content)


def annotated(element: Any) -> dict[str, Any]:
    return {each.get("Term"): each for each in element.findall(EDM + "Annotation")}


def test_metadata_says_what_the_service_cannot_so_that_nobody_asks_for_it(client: TestClient) -> None:
    """A service is taken to offer `$expand`, `$batch`, … unless its metadata says otherwise (Capabilities vocabulary)."""
    document = capabilities(client, READER)
    own = annotated(next(document.iter(EDM + "EntityContainer")))
    for term in ("BatchSupported", "CrossJoinSupported", "AsynchronousRequestsSupported"):
        assert own[f"Capabilities.{term}"].get("Bool") == "false"
    for entity_set in document.iter(EDM + "EntitySet"):
        told = annotated(entity_set)
        for term, word in (
            ("ExpandRestrictions", "Expandable"),
            ("SearchRestrictions", "Searchable"),
            ("InsertRestrictions", "Insertable"),
        ):
            (value,) = told[f"Capabilities.{term}"].iter(EDM + "PropertyValue")
            assert (value.get("Property"), value.get("Bool")) == (word, "false")


OF_EACH = {
    "contains": "contains(full_name,'a')", "startswith": "startswith(full_name,'a')", "endswith": "endswith(full_name,'a')",
    "tolower": "tolower(full_name) eq 'a'", "toupper": "toupper(full_name) eq 'A'", "trim": "trim(full_name) eq 'a'", "length": "length(full_name) gt 1",
    "year": "year(born_on) eq 1980", "month": "month(born_on) eq 1", "day": "day(born_on) eq 1", "hour": "hour(at) eq 1", "minute": "minute(at) eq 1",
    "second": "second(at) eq 1", "date": "date(at) eq 2026-01-01", "floor": "floor(score) eq 1", "ceiling": "ceiling(score) eq 1", "round": "round(score) eq 1",
}  # fmt: skip


def test_every_function_metadata_names_is_answered_and_a_masked_field_is_named_as_none_to_filter_by(client: TestClient) -> None:
    own = annotated(next(capabilities(client, READER).iter(EDM + "EntityContainer")))
    functions = [each.text for each in own["Capabilities.FilterFunctions"].iter(EDM + "String")]
    assert set(functions) == set(OF_EACH)
    for name, text in OF_EACH.items():
        assert read_filter(text), name
        if "(at" not in text and "(score" not in text:  # nobody here has an instant or a number with a point
            assert get(client, PEOPLE, filter=text).status_code == 200, name
    of_people = next(each for each in capabilities(client, PART).iter(EDM + "EntitySet") if each.get("Name") == "test_people")
    for term in ("Capabilities.FilterRestrictions", "Capabilities.SortRestrictions"):
        assert [each.text for each in annotated(of_people)[term].iter(EDM + "PropertyPath")] == ["full_name", "born_on"]


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("OData-MaxVersion", "4.0", 200), ("OData-MaxVersion", "4.01", 200), ("OData-Version", "4.0", 200), ("MaxDataServiceVersion", "3.0", 200),
        ("OData-MaxVersion", "3.0", 400), ("OData-Version", "3.0", 400), ("OData-Version", "5.0", 400), ("OData-Version", "x", 400),
        ("OData-MaxVersion", "9" * 5_000, 400),
    ],
)  # fmt: skip
def test_who_speaks_another_version_is_told_ours(client: TestClient, name: str, value: str, status: int) -> None:
    for address in (ROOT, f"{ROOT}/$metadata", CODES, f"{CODES}/$count", f"{CODES}('01')"):
        answer = client.get(address, headers={name: value})
        assert (answer.status_code, answer.headers["odata-version"]) == (status, "4.0"), address


FILTERS = [
    ("children eq 2", ["P1"]),
    ("2 eq children", ["P1"]),
    ("children ne 2", ["P2", "P3", "P4", "P5"]),
    ("children eq null", ["P5"]),
    ("children ne null and children lt 3", ["P1", "P3"]),
    ("not (children gt 2 or children eq 0)", ["P1"]),
    ("not(children gt 2)", ["P1", "P3"]),
    ("children in (0,5)", ["P3", "P4"]),
    ("record_no in ('P2')", ["P2"]),
    ("(record_no eq 'P2')", ["P2"]),
    ("contains(full_name,'Văn')", ["P2", "P4"]),
    ("startswith(full_name,'=') eq true", ["P4"]),
    ("endswith(tolower(full_name),'chi')", ["P3"]),
    ("not contains(full_name,'Thị')", ["P2", "P4"]),
    ("length(full_name) gt 13", ["P4"]),
    ("year(born_on) eq 1980", ["P1"]),
    ("born_on ge 1980-03-07", ["P1", "P3"]),
    ("month(born_on) eq 11 and day(born_on) eq 12", ["P2"]),
    ("full_name eq 'O''Neil'", []),
    ("true", ["P1", "P2", "P3", "P4", "P5"]),
    ("children gt -1 and children lt 2.5", ["P1", "P3"]),
    ("children gt null", []),
    (" or ".join(f"children eq {n}" for n in range(150)), ["P1", "P2", "P3", "P4"]),
]


@pytest.mark.parametrize(("text", "found"), FILTERS, ids=[text[:40] for text, _ in FILTERS])
def test_a_filter_finds_what_it_says(client: TestClient, text: str, found: list[str]) -> None:
    assert keys(get(client, PEOPLE, filter=text)) == found


def test_fields_order_and_pages(client: TestClient) -> None:
    answer = get(client, PEOPLE, select="record_no,children", orderby="children desc,record_no", top="2", skip="1", count="true")
    assert answer.json() == {
        "@odata.context": "http://testserver/odata/v4/$metadata#test_people(record_no,children)",
        "@odata.count": 5,
        "value": [{"record_no": "P2", "children": 3}, {"record_no": "P1", "children": 2}],
    }
    assert answer.headers["content-type"].startswith("application/json;odata.metadata=minimal")


@pytest.mark.parametrize(
    ("options", "found"), [({}, 5), ({"top": "3"}, 3), ({"top": "4", "skip": "2", "filter": "true"}, 3), ({"top": "0"}, 0)]
)
def test_the_server_pages_and_the_client_follows(client: TestClient, options: dict[str, str], found: int) -> None:
    headers = {**asking(READER), "Prefer": "odata.maxpagesize=2"}
    answer = client.get(PEOPLE, params={f"${name}": value for name, value in options.items()}, headers=headers)
    seen = keys(answer)
    while "@odata.nextLink" in answer.json():
        assert answer.headers["preference-applied"] == "odata.maxpagesize=2"
        answer = client.get(answer.json()["@odata.nextLink"], headers=headers)
        assert len(keys(answer)) <= 2
        seen += keys(answer)
    begin = int(options.get("skip", 0))
    assert seen == ["P1", "P2", "P3", "P4", "P5"][begin : begin + found]


def test_one_entity_its_fields_and_the_count(client: TestClient) -> None:
    assert get(client, f"{PEOPLE}('P1')").json()["children"] == 2
    assert get(client, f"{PEOPLE}(record_no='P1')", select="born_on").json() == {
        "@odata.context": "http://testserver/odata/v4/$metadata#test_people(born_on)/$entity",
        "born_on": "1980-03-07",
    }
    assert get(client, f"{PEOPLE}('P1')/children").json()["value"] == 2
    assert get(client, f"{PEOPLE}('P1')/born_on/$value").text == "1980-03-07"
    assert get(client, f"{PEOPLE}('P5')/children").status_code == 204
    assert get(client, f"{PEOPLE}('P9')").status_code == 404
    assert get(client, f"{PEOPLE}('P''1/%2F')").status_code == 404
    assert get(client, f"{PEOPLE}/$count").text == "5"
    assert get(client, f"{PEOPLE}/$count", filter="children gt 2").text == "2"


def test_numbers_of_64_bits_are_text_where_that_is_asked(client: TestClient) -> None:
    headers = {**asking(READER), "Accept": "application/json;odata.metadata=none;IEEE754Compatible=true"}
    answer = client.get(f"{PEOPLE}?$select=children&$top=1&$count=true", headers=headers)
    assert answer.json() == {"@odata.count": "5", "value": [{"children": "2"}]}


def test_excel_asks_with_a_name_and_the_token_as_password(client: TestClient, province: Province) -> None:
    assert client.get(PEOPLE).headers["www-authenticate"] == 'Basic realm="Lienthong", charset="UTF-8"'
    token = asking(READER)["Authorization"].removeprefix("Bearer ")
    basic = base64.b64encode(f"can-bo-01:{token}".encode()).decode()
    assert len(keys(client.get(PEOPLE, headers={"Authorization": f"Basic {basic}"}))) == 5  # the one purpose of its agreement is understood
    given = entries(province)[-1]
    assert (given["event"], given["official"], given["purpose"]) == ("answer:page:given", "can-bo-01", "xet-tro-cap")
    assert (given["details"]["door"], given["details"]["records"]) == ("odata", 5)
    assert client.get(PEOPLE, headers={"Authorization": "Basic !!!"}).status_code == 401
    nobody = base64.b64encode(b"can-bo-01:abc").decode()
    assert client.get(PEOPLE, headers={"Authorization": f"Basic {nobody}"}).status_code == 401


def test_rights_are_those_of_every_door(client: TestClient, province: Province) -> None:
    assert get(client, PEOPLE, PART).json()["value"] == [
        {"record_no": "P1", "full_name": "N. T. A.", "born_on": "1980"},
        {"record_no": "P2", "full_name": "T. V. B.", "born_on": "1975"},
    ]
    for options in ({"filter": "children eq 2"}, {"orderby": "born_on"}, {"filter": "not contains(full_name,'x')"}):
        refused = get(client, PEOPLE, PART, **options)
        assert refused.status_code == 403
        assert {"code": "rule", "message": "field_not_visible"} in refused.json()["error"]["details"]
    assert get(client, f"{PEOPLE}('P3')", PART).status_code == 404
    assert get(client, f"{PEOPLE}/$count", PART).text == "2"
    refused = get(client, PEOPLE, SENDER)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "denied")
    assert (entries(province)[-1]["event"], entries(province)[-1]["outcome"]) == ("answer:request:denied", "other_operation")


WORDS = [
    "children", "eq", "ne", " ", "(", ")", "'", "'x'", "1", "-", "1.5e3", "null", "true", "and", "or", "not", "in", ",", "contains", "tolower", "2024-01-01",
    "2024-01-01T00:00:00Z", "/", "any", "all", ":", "=", "add", "duration'P1D'", "geography'x'", "now()", "$it", "{", "\x00", "é",
]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(WORDS), max_size=25).flatmap(lambda found: st.sampled_from(["", " "]).map(lambda by: by.join(found))),
    )
)
def test_whatever_stands_in_a_filter_an_order_or_an_address_it_is_read_or_refused(text: str) -> None:
    for read in (read_filter, read_order, read_place):
        with suppress(RequestError):
            read(text)


NOT_OFFERED = [
    "$expand=children", "$search=x", "$apply=aggregate(children with sum as n)", "$compute=children", "$deltatoken=1", "$levels=2",
    "$filter=substring(full_name,1) eq 'a'", "$filter=children add 1 eq 2", "$filter=children eq children", "$filter=geo.distance(a,b) lt 1",
    "$filter=nobody(children)", "$filter=indexof(full_name,'a') eq 1", "$filter=children/any(x:x eq 1)", "$orderby=tolower(full_name)",
    "$filter=children eq @few&@few=2", "$filter=now() gt born_on", "$filter=(children mul 2) gt 3", "$select=children/x", "filter=children eq 2",
]  # fmt: skip
REFUSED = [
    "nonsense=1", "$filter=", "$filter=children eq", "$filter=children eq 'a'", "$filter=full_name eq 1", '$filter=full_name eq "x"', "$filter=nobody eq 1",
    "$filter=children eq 1; drop table x", "$filter='", "$filter=" + "(" * 300 + "children eq 1" + ")" * 299, "$filter=" + "not " * 500 + "true",
    "$filter=" + " or ".join(["children eq 1"] * 400), "$filter=children eq 99999999999999999999999999", "$filter=born_on eq 2024-02-31",
    "$filter=full_name eq '%00'", "$filter=contains(children,'1')", "$filter=contains(full_name)", "$top=-1", "$top=abc", "$top=99999999999999",
    "$skip=1000001", "$skip=1e9", "$count=yes", "$orderby=nobody", "$orderby=children sideways", "$orderby=", "$select=nobody", "$select=",
    "$top=1&$top=2", "$skiptoken=abc", "$skiptoken=1.abc", "$skiptoken=.", "as_of=yesterday", "known_at=x", "$filter=%ff%fe",
    "$filter=children in ()", "$filter=children in (1,'a')", "$filter=year(born_on) eq 'x'",
    "$filter=" + "a" * 9000,
]  # fmt: skip


@pytest.mark.parametrize("query", NOT_OFFERED)
def test_what_the_standard_has_and_we_do_not_is_said(client: TestClient, query: str) -> None:
    answer = client.get(f"{PEOPLE}?{query}", headers=asking(READER))
    assert (answer.status_code, answer.json()["error"]["code"]) == (501, "not-offered")


@pytest.mark.parametrize("query", REFUSED, ids=[query[:40] for query in REFUSED])
def test_hostile_questions_get_a_plain_refusal_in_odatas_form(client: TestClient, query: str) -> None:
    answer = client.get(f"{PEOPLE}?{query}", headers=asking(READER))
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
    assert set(answer.json()["error"]) == {"code", "message", "details"}
    assert answer.headers["odata-version"] == "4.0"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nobody", 404), ("test_people(", 400), ("test_people()", 400), ("test_people(1)", 400), ("test_people('a','b')", 400),
        ("test_people(nobody='a')", 400), ("test_people('P1')x", 404), ("test_people('P1')/nobody", 400), ("test_people('P1')/a/b/c", 404),
        ("test_people/children", 404), ("$batch", 501), ("$crossjoin(test_people)", 501), ("test_people/$ref", 501), ("test_people('P1", 400),
        ("%27%3B--", 404), ("test_people('%00')", 400), ("../v1/datasets", 404),
    ],
)  # fmt: skip
def test_addresses_lead_somewhere_or_nowhere_but_never_astray(client: TestClient, path: str, status: int) -> None:
    answer = client.get(f"{ROOT}/{path}", headers=asking(READER))
    assert answer.status_code == status, answer.text


def test_nothing_is_written_through_this_door(client: TestClient) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = client.request(method, f"{CODES}('01')", headers=asking(READER), content=b"{}")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert answer.json()["error"]["code"] == "method-not-allowed"
    assert client.head(CODES).status_code == 200
    assert client.get(CODES, headers={"Accept": "application/atom+xml"}).status_code == 406


def test_pages_of_one_walk_tell_of_one_version(client: TestClient, province: Province) -> None:
    headers = {**asking(READER), "Prefer": "maxpagesize=1"}
    first = client.get(CODES, headers=headers)
    (province.folder / "codes.csv").write_text("code,label\n02,Hai mới\n03,Ba\n", encoding="utf-8")
    run_dataset(province.workshop, province.codes)
    second = client.get(first.json()["@odata.nextLink"], headers=headers)
    assert second.json()["value"] == [{"code": "02", "label": "Hai"}]
    assert "@odata.nextLink" not in second.json()

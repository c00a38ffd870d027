"""What is sent to do harm gets a clear refusal at every door, in that door's own form; what it names is never opened, echoed as a header, or run."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from lxml import etree

from tests.doors.province import FIGURE_DATASET, Province

SET = FIGURE_DATASET.replace(".", "_")
TABLE = "/delta-sharing/shares/open/schemas/statistics/tables/indicators"
TRAVERSAL = "..%2f..%2f..%2fetc%2fpasswd"
NUL, OVERLONG, SURROGATE, BREAK = "a%00b", "%c0%ae%c0%ae", "%ed%a0%80", "x%0d%0aSet-Cookie:%20evil=1"
NAMES = (TRAVERSAL, NUL, OVERLONG, SURROGATE, BREAK, "x" * 5_000, "%27%20or%201=1--", "%3Cscript%3E", "$where")


def is_odata(answer: httpx.Response) -> bool:
    return answer.headers["odata-version"] == "4.0" and {"code", "message"} <= set(answer.json()["error"])


def is_ckan(answer: httpx.Response) -> bool:
    told = answer.json()
    return isinstance(told, str) or (told["success"] is False and bool(told["error"]["__type"]))


def is_sdmx(answer: httpx.Response) -> bool:
    return next(etree.fromstring(answer.content).iter("{*}ErrorMessage")).get("code") is not None


def is_ogc(answer: httpx.Response) -> bool:
    return {"code", "description"} <= set(answer.json())


def is_delta(answer: httpx.Response) -> bool:
    return {"errorCode", "message"} <= set(answer.json())


def is_problem(answer: httpx.Response) -> bool:
    return answer.headers["content-type"].startswith("application/problem+json") and answer.json()["status"] == answer.status_code


def is_said_well(is_own: Callable[[httpx.Response], bool], answer: httpx.Response) -> bool:
    """Whether an error is in the door's form; one of an address that leads to no door (a slash or no text in a name) is the platform's own problem."""
    try:
        if is_own(answer):
            return True
    except (KeyError, TypeError, ValueError, StopIteration, etree.XMLSyntaxError):
        pass
    return answer.status_code in (400, 404) and is_problem(answer)


# door → (its form of an error, addresses that take a name in {}, queries that are hostile in themselves)
DOORS: dict[str, tuple[Callable[[httpx.Response], bool], tuple[str, ...], tuple[str, ...]]] = {
    "odata": (
        is_odata,
        ("/odata/v4/{}", f"/odata/v4/{SET}('{{}}')/x", f"/odata/v4/{SET}?$orderby={{}}", f"/odata/v4/{SET}?$select={{}}", f"/odata/v4/{SET}?$skiptoken={{}}"),
        (f"/odata/v4/{SET}?$top=1&$top=2", f"/odata/v4/{SET}?$filter=" + "not%20" * 500 + "true", f"/odata/v4/{SET}?$top=1e9"),
    ),
    "ckan": (
        is_ckan,
        ("/api/3/action/{}", "/api/action/package_show?id={}", "/api/3/action/datastore_search?resource_id={}", f"/api/3/action/datastore_search?resource_id={SET}&sort={{}}"),
        (
            f"/api/3/action/datastore_search?resource_id={SET}&filters=" + "[" * 300,
            f"/api/3/action/datastore_search?resource_id={SET}&limit=1&limit=2",
            "/api/3/action/package_search?fq=" + "(" * 300,
        ),
    ),
    "sdmx": (
        is_sdmx,
        ("/sdmx/2.1/{}", "/sdmx/2.1/data/{}/all", "/sdmx/2.1/codelist/LIENTHONG/{}/latest", f"/sdmx/2.1/data/{SET}/all?startPeriod={{}}", f"/sdmx/2.1/data/{SET}/{{}}"),
        (f"/sdmx/2.1/data/{SET}/all?startPeriod=2024&startPeriod=2025", f"/sdmx/2.1/data/{SET}/" + "A+" * 3_000 + "A..", f"/sdmx/2.1/data/{SET}/all?lastNObservations=99999999999"),
    ),
    "ogc": (
        is_ogc,
        ("/ogc/collections/{}/items", "/ogc/collections/environment.readings/items/{}", "/ogc/collections/environment.readings/items?filter={}", "/ogc/collections/environment.readings/items?cursor={}"),
        (
            "/ogc/collections/environment.readings/items?bbox=nan,1,2,3", "/ogc/collections/environment.readings/items?bbox=1,2,inf,4",
            "/ogc/collections/environment.readings/items?bbox=" + "1," * 5_000, "/ogc/collections/environment.readings/items?limit=1&limit=2",
            "/ogc/collections/environment.readings/items?bbox=1,9,2,3", "/ogc/collections/environment.readings/items?filter=" + "NOT%20" * 500 + "TRUE",
            "/ogc/collections/environment.readings/items?crs=file:///etc/passwd",
        ),
    ),
    "delta": (
        is_delta,
        ("/delta-sharing/shares/{}", "/delta-sharing/shares/open/schemas/{}/tables", "/delta-sharing/files/{}/" + "0" * 40 + "/part-00000.parquet", "/delta-sharing/shares?pageToken={}", f"{TABLE}/version?startingTimestamp={{}}"),
        (f"{TABLE}/changes?startingVersion=1&startingVersion=1", f"{TABLE}/changes?startingVersion=99999999999999999999"),
    ),
    "packages": (is_problem, ("/dataset/{}.csv", "/dataset/{}/datapackage.json", f"/dataset/{FIGURE_DATASET}/versions/{{}}.csv", f"/contracts/{FIGURE_DATASET}/{{}}.yaml", f"/dataset/{FIGURE_DATASET}.csv?fields={{}}"), (f"/dataset/{FIGURE_DATASET}.csv?limit=1&limit=2",)),
    "dcat": (is_problem, ("/dataset/{}.ttl", "/dataset/{}.jsonld", "/catalog.ttl?page={}"), ("/catalog.ttl?size=1&size=2",)),
    "catalogue": (is_problem, ("/v1/catalogue/dataset/{}", "/v1/catalogue?offset={}"), ("/v1/catalogue?limit=1&limit=2",)),
}  # fmt: skip
ASKED = [
    (door, address)
    for door, (_, named, alone) in DOORS.items()
    for address in (*(each.format(name) for each in named for name in NAMES), *alone)
]


def get(province: Province, address: str) -> httpx.Response:
    """An address as it is written: httpx would put the dots and escapes right."""
    host = urlsplit(province.base)
    connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=120)
    try:
        connection.request("GET", address, headers={"Accept": "*/*"})
        answer = connection.getresponse()
        return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("door", list(DOORS))
def test_a_hostile_address_is_refused_in_the_doors_own_form(province: Province, door: str) -> None:
    is_own = DOORS[door][0]
    for each, address in ASKED:
        if each != door:
            continue
        answer = get(province, address)
        assert 400 <= answer.status_code <= 501, (address[:200], answer.status_code, answer.text[:300])
        assert answer.status_code < 500 or answer.status_code == 501, (address[:200], answer.text[:300])
        assert is_said_well(is_own, answer), (address[:200], answer.status_code, answer.text[:300])
        assert "set-cookie" not in answer.headers, address
        assert b"root:" not in answer.content, address
        assert len(answer.content) < 20_000, address  # nothing long is said back


@pytest.mark.parametrize(
    "door",
    ["/odata/v4/", "/api/3/action/", "/sdmx/2.1/data/", "/ogc/collections/", "/delta-sharing/shares/", "/dataset/", "/v1/catalogue?q="],
)
def test_an_address_of_a_hundred_kilobytes_is_refused(province: Province, door: str) -> None:
    assert 400 <= get(province, door + "x" * 100_000).status_code < 500


BODIES: list[tuple[str, str, Any]] = [
    (kind, path, body)
    for path in ("/api/3/action/package_show", f"{TABLE}/query")
    for kind, body in (
        ("text/xml", b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>"),
        ("application/json", b"[" * 100_000), ("application/json", b'{"id": NaN}'), ("application/json", b"\xff\xfe\x00"),
        ("application/json", json.dumps({"id": "x" * 400_000, "predicateHints": ["x" * 400_000]}).encode()), ("multipart/form-data; boundary=x", b"--x\r\n\r\n"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(5_000))),
    )
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "body"), BODIES, ids=range(len(BODIES)))
def test_a_body_of_another_kind_or_size_is_refused(province: Province, kind: str, path: str, body: bytes) -> None:
    answer = httpx.post(province.base + path, content=body, headers={"Content-Type": kind, "Authorization": "Bearer open"} if "delta" in path else {"Content-Type": kind}, timeout=60)  # fmt: skip
    assert 400 <= answer.status_code < 500, answer.text[:300]
    assert b"root:" not in answer.content
    assert is_said_well(is_delta if "delta" in path else is_ckan, answer)

"""DCAT-AP 3, Atom, sitemap, schema.org and OpenLineage, each read by those who read it."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from lienthong.catalog.dcat import Publisher, dataset_graph, stream
from lienthong.catalog.dcat_forms import Known
from lienthong.catalog.feeds import as_data_block
from lienthong.contracts import Sharing
from tests.doors.environments import ask
from tests.doors.province import CALLER, FIGURE_DATASET, RESTRICTED, Province
from tests.factories import make_contract
from tests.store.ledgers import entries_of

SHAPES = Path(__file__).parent / "data" / "dcat-ap-3.0.1"
ATOM = {"a": "http://www.w3.org/2005/Atom"}


@pytest.mark.parametrize("shapes", ["shapes.ttl", "range.ttl"])
def test_the_catalogue_conforms_to_dcat_ap(province: Province, shapes: str) -> None:
    conforms, words = ask("dcat", "validate", str(SHAPES / shapes), f"{province.base}/catalog.ttl")
    assert conforms, words


def test_every_form_tells_the_same_and_accept_chooses_among_them(province: Province) -> None:
    root = province.base
    whole = [f"{root}/catalog.{form}" for form in ("ttl", "rdf", "xml", "jsonld")]
    full = [f"{root}/catalog/full.{form}" for form in ("ttl", "rdf", "jsonld")]
    asked = [f"{root}/dataset/land.parcels {kind}" for kind in ("text/turtle", "application/rdf+xml", "application/ld+json")]
    found = ask("dcat", "read", *whole, *full, *asked)
    listed = sorted(f"{root}/dataset/{id}" for id in province.workshop.contracts)
    assert all(found[address][1] == listed for address in (*whole, *full))
    assert len({found[address][0] for address in full}) == 1
    assert {tuple(found[each][1]) for each in asked} == {(f"{root}/dataset/land.parcels",)}
    assert len({found[each][0] for each in asked}) == 1


def test_a_harvester_that_follows_hydra_sees_every_dataset_once(province: Province) -> None:
    pages, seen = ask("dcat", "harvest", f"{province.base}/catalog.ttl?page=1&size=4")
    assert sorted(seen) == sorted(f"{province.base}/dataset/{id}" for id in province.workshop.contracts)
    assert pages == -(-len(seen) // 4)


def test_data_that_is_not_open_is_listed_without_a_link_to_it(province: Province) -> None:
    told = httpx.get(f"{province.base}/dataset/{RESTRICTED}.ttl").text
    assert "dcat:Dataset" in told
    assert "access-right/" in told
    for word in ("dcat:distribution", "dcat:accessURL", "dcat:DataService", "/v1/datasets/"):
        assert word not in told


def test_a_browser_is_led_to_the_page_and_odd_questions_are_answered_in_words(province: Province) -> None:
    led = httpx.get(f"{province.base}/dataset/land.parcels", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (led.status_code, led.headers["location"]) == (303, "/datasets/land.parcels")
    assert httpx.get(f"{province.base}/agency/H10.10").headers["location"] == "/catalogue/agency/H10.10"
    for path, status, accept in (
        ("/dataset/none.ttl", 404, ""), ("/dataset/none", 404, "text/turtle"), ("/catalog.ttl?page=0", 400, ""), ("/catalog.ttl?page=99", 404, ""),
        ("/catalog.ttl?size=501", 400, ""), ("/catalog?x=1", 400, "text/turtle"), ("/catalog", 406, "image/png"), ("/dataset/a.b%00.ttl", 404, ""),
        ("/licence/none", 404, ""), ("/changes.atom?x=1", 400, ""), ("/v1/lineage/none", 404, ""),
    ):  # fmt: skip
        assert httpx.get(province.base + path, headers={"Accept": accept} if accept else {}).status_code == status, path


def test_streaming_keeps_one_dataset_in_memory_whatever_their_number() -> None:
    taken: list[int] = []

    def everything() -> Any:
        for number in range(50):
            taken.append(number)
            yield Known(make_contract(id=f"test.d{number}", sharing=Sharing.OPEN), None, None, 1, True)

    publisher = Publisher("http://x", "Danh mục", "Catalogue", {}, {})
    pieces = stream(publisher, everything(), "text/turtle")
    for _ in ("prefixes", "the catalogue itself", "the first dataset"):
        next(pieces)
    assert len(taken) == 1  # the second is not made before it is wanted
    assert sum(1 for _ in pieces) == 49


def test_addresses_are_the_same_every_time() -> None:
    publisher = Publisher("http://x", "Danh mục", "Catalogue", {}, {})
    known = Known(make_contract(sharing=Sharing.OPEN), None, None, 1, True)
    first, second = (sorted(dataset_graph(publisher, known)) for _ in range(2))
    assert first == second


def test_news_and_the_map_of_the_site_are_well_formed_and_lead_somewhere(province: Province) -> None:
    feed = etree.fromstring(httpx.get(f"{province.base}/changes.atom").content)
    updated = [node.text for node in feed.findall("a:entry/a:updated", ATOM)]
    assert updated == sorted(updated, reverse=True)
    assert len(updated) >= 5
    assert all(node.findtext("a:author/a:name", namespaces=ATOM) for node in feed.findall("a:entry", ATOM))
    one = etree.fromstring(httpx.get(f"{province.base}/changes.atom?dataset={FIGURE_DATASET}").content)
    assert len(one.findall("a:entry", ATOM)) == 1
    places = [node.text for node in etree.fromstring(httpx.get(f"{province.base}/sitemap.xml").content).iter("{*}loc")]
    assert len(places) == len(set(places))
    for place in (*places[:8], *places[-4:]):
        assert httpx.get(place, headers={"Accept": "text/html"}).status_code == 200, place


def test_a_page_says_what_it_is_to_search_engines_and_nothing_in_it_runs(province: Province) -> None:
    page = httpx.get(f"{province.base}/datasets/{FIGURE_DATASET}", headers={"Accept": "text/html"})
    [block] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page.text)
    told = json.loads(block)
    assert (told["@type"], told["identifier"]) == ("Dataset", FIGURE_DATASET)
    assert all(httpx.head(each["contentUrl"]).is_success for each in told["distribution"])
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]
    closed = httpx.get(f"{province.base}/datasets/{RESTRICTED}", headers={"Accept": "text/html"}).text
    assert '"distribution"' not in closed
    hostile = {"name": "</script><script>alert(1)</script>", "more": "<!-- \u2028"}
    assert "<" not in as_data_block(hostile)
    assert json.loads(as_data_block(hostile)) == hostile


def event(base: str, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "eventType": "COMPLETE", "eventTime": "2026-11-01T08:00:00Z", "producer": "https://example.org/etl", "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        "run": {"runId": str(uuid.uuid4())}, "job": {"namespace": "so-tnmt", "name": "ban-do-gia-dat"},
        "inputs": [{"namespace": base, "name": "land.parcels"}],
        "outputs": [{"namespace": "postgres://gis", "name": "gia_dat", "facets": {"columnLineage": {"fields": {"ma_thua": {
            "inputFields": [{"namespace": base, "name": "land.parcels", "field": "parcel_no"}]}}}}}],
    }  # fmt: skip
    return {**made, **changes}


def test_a_run_told_by_a_program_outside_is_kept_once_shown_in_the_lineage_and_in_the_ledger(province: Province) -> None:
    address, headers = f"{province.base}/api/v1/lineage", {"Authorization": f"Bearer {province.token(CALLER)}"}
    body = event(province.base)
    assert httpx.post(address, json=body).status_code == 401
    assert [httpx.post(address, json=body, headers=headers).status_code for _ in range(3)] == [201, 200, 200]
    shown = httpx.get(f"{province.base}/v1/catalogue/dataset/land.parcels").json()["lineage"]["outside"]
    assert [(run["job"], run["subsystem"]) for run in shown] == [("so-tnmt/ban-do-gia-dat", CALLER)]
    assert shown[0]["columns"] == [
        {"column": "ma_thua", "of": "postgres://gis/gia_dat", "from": [{"dataset": "land.parcels", "column": "parcel_no"}]}
    ]
    told = [each for each in entries_of(province.workshop.database, province.workshop.signer) if each["event"] == "catalogue:lineage:taken"]
    assert len(told) == 1
    assert told[0]["caller"] == CALLER


@pytest.mark.parametrize(
    "changes",
    [
        {"eventType": "DONE"}, {"eventTime": "yesterday"}, {"eventTime": "2026-11-01T08:00:00"}, {"run": {}}, {"run": {"runId": "1"}}, {"job": "x"},
        {"job": {"namespace": "", "name": "x"}}, {"inputs": {}}, {"inputs": [1]}, {"inputs": [{"namespace": "a", "name": "b\u0000"}]},
        {"outputs": [{"namespace": "a", "name": "x" * 501}]}, {"inputs": [{"namespace": "a", "name": str(n)} for n in range(201)]},
        {"outputs": [{"namespace": "a", "name": "b", "facets": {"columnLineage": {"fields": {"c": {}}}}}]},
    ],
)  # fmt: skip
def test_an_event_that_is_none_is_refused_in_words(province: Province, changes: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {province.token(CALLER)}"}
    answer = httpx.post(f"{province.base}/api/v1/lineage", json=event(province.base, **changes), headers=headers)
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_our_own_lineage_is_told_as_events_another_catalogue_reads(province: Province) -> None:
    [told] = httpx.get(f"{province.base}/v1/lineage/{FIGURE_DATASET}").json()
    assert (told["eventType"], told["outputs"][0]["name"]) == ("COMPLETE", FIGURE_DATASET)
    facets = told["outputs"][0]["facets"]
    assert {"schema", "columnLineage", "ownership", "version"} <= set(facets)
    assert {each["field"] for each in facets["columnLineage"]["fields"]["district_code"]["inputFields"]} >= {"code"}
    again = httpx.get(f"{province.base}/v1/lineage/{FIGURE_DATASET}").json()[0]
    assert again["run"] == told["run"]

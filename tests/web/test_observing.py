"""Metrics, traces, health, alerts and the month's report on a real server, with a real collector of traces beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from lienthong.pipeline.counting import count_exchanges
from tests.conftest import fresh_database
from tests.web.served import CALLER, DATASET, RECORDS, Served, serving

TOKEN = "so-do-0123456789"
KEY = quote("7/GP-UBND", safe="")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


class Collector:
    """An OTLP collector over HTTP that keeps what it was sent."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_POST(self) -> None:
                sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
                collector.spans += [span for r in sent.resource_spans for s in r.scope_spans for span in s.spans]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Served]:
    environment = {
        "LIENTHONG_METRICS_TOKEN": TOKEN,
        "LIENTHONG_TRACES_URL": collector.url,
        "LIENTHONG_TRACES_PER_THOUSAND": "1000",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    folder = Path(tmp_path_factory.mktemp("observing"))
    with fresh_database(postgres_server) as url, serving(url, folder, environment=environment) as server:
        yield server


def soon(what: Callable[[], Any]) -> Any:
    """What is asked for, as soon as there is something."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come")


@pytest.fixture(scope="module")
def asked(served: Served) -> None:
    """A record, one that is not there, a refusal; counted."""
    headers = served.headers()
    for key in (KEY, KEY, "khong-co"):
        httpx.get(f"{served.base}{RECORDS}/{key}", headers={**headers, "traceparent": f"00-{TRACE}-{PARENT}-01"})
    httpx.get(f"{served.base}{RECORDS}/{KEY}", headers={**headers, "Lienthong-Purpose": "khac"})

    def counted() -> bool:
        count_exchanges(served.workshop)
        with served.workshop.database.connect() as connection:
            row = connection.execute("select coalesce(sum(calls), 0) from exchange_counts where span = 'ever'").fetchone()
        return row is not None and row[0] >= 4

    soon(counted)


@pytest.mark.usefixtures("asked")
def test_metrics_are_told_to_who_has_their_token(served: Served) -> None:
    for headers in ({}, {"Authorization": "Bearer khac"}, served.headers()):
        assert httpx.get(served.base + "/metrics", headers=headers).status_code == 401
    text = httpx.get(served.base + "/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).raise_for_status().text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    ends = {
        (s.labels["service"], s.labels["outcome"]): s.value for s in families["lienthong_exchanges"].samples if s.name.endswith("_total")
    }
    assert (ends[DATASET, "ok"], ends[DATASET, "missing"], ends[DATASET, "refused"]) == (2, 1, 1)
    buckets = [s.value for s in families["lienthong_exchange_seconds"].samples if s.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 4
    assert families["lienthong_ledger_waiting_seconds"].samples[0].value >= 0
    for hidden in (CALLER, "can-bo-01", "GP-UBND"):
        assert hidden not in text


@pytest.mark.usefixtures("asked")
def test_traces_reach_a_collector_with_the_caller_s_trace_and_no_person(served: Served, collector: Collector) -> None:
    spans = soon(lambda: collector.spans if len(collector.spans) >= 4 else None)
    looked_up = [span for span in spans if span.name == f"look_up {DATASET}"]
    assert len(looked_up) == 4
    children = [span for span in looked_up if span.trace_id.hex() == TRACE]
    assert len(children) == 3
    assert all(span.parent_span_id.hex() == PARENT for span in children)
    assert all(0 < span.end_time_unix_nano - span.start_time_unix_nano < 60e9 for span in looked_up)
    text = str(spans)
    assert "can-bo-01" not in text
    assert "GP-UBND" not in text
    del served


def test_health_says_of_each_part_how_it_stands(served: Served) -> None:
    health = httpx.get(served.base + "/health").json()
    assert health["database"] == "ok"
    assert health["clock"] == "ok"
    assert health["worker"] == "not of this server"
    assert {reason["part"] for reason in health["reasons"]} <= {"disk", "ledger"}
    assert httpx.get(served.base + "/health/live").json()["status"] == "alive"
    assert soon(lambda: httpx.get(served.base + "/health/ready").status_code == 200)


@pytest.mark.usefixtures("asked")
def test_the_month_s_report_is_given_in_three_forms(served: Served) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")
    headers = {name: value for name, value in served.headers().items() if name != "Lienthong-Purpose"}
    with httpx.Client(base_url=served.base, headers=headers) as client:
        document = client.get("/v1/reports/exchange", params={"month": month}).raise_for_status().json()
        assert document["is_whole"] is True
        text = client.get("/v1/reports/exchange", params={"month": month}, headers={"Accept": "text/csv"})
        assert text.content.decode("utf-8-sig").startswith("Cơ quan cung cấp")
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        assert client.get("/v1/reports/exchange", params={"month": month}, headers={"Accept": kind}).content[:2] == b"PK"
        assert client.get("/v1/reports/exchange", params={"month": "x"}).status_code == 400
        assert client.get("/v1/reports/exchange", params={"month": month}, headers={"Accept": "image/png"}).status_code == 406
    assert httpx.get(served.base + "/v1/reports/exchange", params={"month": month}).status_code == 401


def test_alerts_of_an_agency_are_its_own(served: Served) -> None:
    with served.workshop.database.connect() as connection:
        for agency in ("H10.12", "H99"):
            connection.execute(
                "insert into alerts (rule, kind, subject, agency, severity, figures, state, raised_at, seen_at)"
                " values ('disk', 'disk', %s, %s, 'alarm', '{}', 'open', now(), now())",
                (agency, agency),
            )
    with httpx.Client(base_url=served.base, headers=served.headers()) as client:
        (own,) = client.get("/v1/monitoring/alerts").raise_for_status().json()["alerts"]
        assert own["agency"] == "H10.12"
        assert client.get("/v1/monitoring/alerts", params={"state": "khac"}).status_code == 400
        assert client.post(f"/v1/monitoring/alerts/{own['alert']}/take").status_code == 200
        assert client.post(f"/v1/monitoring/alerts/{own['alert']}/take").status_code == 409
        assert client.post(f"/v1/monitoring/alerts/{own['alert'] + 1}/take").status_code == 404
        assert client.post(f"/v1/monitoring/alerts/{own['alert']}/close", json={"reason": "Đã xử lý"}).status_code == 200
        assert client.post(f"/v1/monitoring/alerts/{own['alert']}/close", json={}).status_code == 400
        (own,) = client.get("/v1/monitoring/alerts", params={"state": "closed"}).json()["alerts"]
        assert [step["by_whom"] for step in own["steps"]][-1] == "can-bo-01"
    assert httpx.get(served.base + "/v1/monitoring/alerts").status_code == 401

"""`GET /metrics`: Prometheus, behind a token of its own. Totals are counted in the store, so every process and restart tells the same.

Labels are bounded: datasets and brokered services, their described operations, five ends, kinds of alerts. No caller, official or key is one.
"""

from __future__ import annotations

import hmac
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong import __version__
from lienthong.errors import NotFound, Unauthenticated
from lienthong.settings import Settings
from lienthong.store.alerts import open_by_kind, waiting_seconds
from lienthong.store.database import Connection
from lienthong.store.exchange_records import OUTCOMES, bounds_us
from lienthong.store.exchanges import Count, read_counts
from lienthong.web.asking import Counter

TYPE = "text/plain; version=0.0.4; charset=utf-8"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVER = datetime(1971, 1, 1, tzinfo=UTC)
LABELS = ("service", "operation", "door")
EVERY = 4  # of the buckets that are kept, one in so many is told: each bound twice the one before


def route_of(counter: Counter, settings: Settings) -> Route:
    """The route; without a token in the settings there is nothing there."""

    async def metrics(request: Request) -> Response:
        if not settings.metrics_token:
            raise NotFound(
                "Metrics are not told here.",
                hint="Set LIENTHONG_METRICS_TOKEN.",
                hint_vi="Hãy đặt LIENTHONG_METRICS_TOKEN.",
                vi="Không công bố số đo ở đây.",
            )
        sent = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(sent, f"Bearer {settings.metrics_token}".encode()):
            raise Unauthenticated("Expected the token of metrics.", vi="Cần mã truy cập số đo.")
        return Response(await run_in_threadpool(_told, counter, settings), media_type=TYPE, headers={"Cache-Control": "no-store"})

    return Route("/metrics", metrics)


def _told(counter: Counter, settings: Settings) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    with counter.connection() as connection:
        registry.register(_Collector(list(_collected(connection, settings))))
    return bytes(generate_latest(registry))


class _Collector(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        yield from self._metrics


def _collected(connection: Connection, settings: Settings) -> Iterator[Metric]:
    info = GaugeMetricFamily("lienthong_info", "The version that answers.", labels=("version",))
    info.add_metric((__version__,), 1)
    yield info
    yield from _exchanges(connection)
    waiting = GaugeMetricFamily("lienthong_ledger_waiting_seconds", "How long the oldest entry waits for its checkpoint.")
    waiting.add_metric((), waiting_seconds(connection))
    yield waiting
    alerts = GaugeMetricFamily("lienthong_alerts_standing", "Alerts that are not closed.", labels=("kind",))
    for kind, number in open_by_kind(connection).items():
        alerts.add_metric((kind,), number)
    yield alerts
    usage = shutil.disk_usage(settings.home if settings.home.exists() else ".")
    disk = GaugeMetricFamily("lienthong_disk_free_bytes", "Free on the disk of LIENTHONG_HOME.")
    disk.add_metric((), usage.free)
    yield disk


def _exchanges(connection: Connection) -> Iterator[Metric]:
    ends = CounterMetricFamily("lienthong_exchanges", "Exchanges, by how they ended.", labels=(*LABELS, "outcome"))
    volume = CounterMetricFamily("lienthong_exchange_bytes", "Bytes of bodies.", labels=(*LABELS, "way"))
    took = HistogramMetricFamily("lienthong_exchange_seconds", "How long exchanges took.", labels=LABELS)
    for key, count in read_counts(connection, "ever", EPOCH, EVER):
        labels = (key.service, key.operation, key.door)
        for outcome, number in zip(OUTCOMES, _ends(count), strict=True):
            ends.add_metric((*labels, outcome), number)
        volume.add_metric((*labels, "in"), count.bytes_in)
        volume.add_metric((*labels, "out"), count.bytes_out)
        took.add_metric(labels, list(_buckets(count)), count.microseconds / 1_000_000)
    yield from (ends, volume, took)


def _ends(count: Count) -> tuple[int, ...]:
    return count.answered - count.missing, count.missing, count.refused, count.invalid, count.errors


def _buckets(count: Count) -> Iterator[tuple[str, float]]:
    seen = 0
    for place, (number, bound) in enumerate(zip(count.latencies, bounds_us(), strict=False)):
        seen += number
        if place % EVERY == 0:
            yield repr(bound / 1_000_000), seen
    yield "+Inf", count.calls

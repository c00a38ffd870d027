"""OpenTelemetry traces of exchanges, where `LIENTHONG_TRACES_URL` names a collector (OTLP over HTTP).

A span is made from the operational record once it is gathered: its times are the exchange's, and no request waits for it. It names service,
operation, caller, purpose and end; neither the official nor a key. `traceparent` of a request makes its span a child of the caller's.
"""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from lienthong import __version__
from lienthong.settings import Settings
from lienthong.store.exchange_records import ERROR, Exchange, Gathered

_parents = TraceContextTextMapPropagator()


class Tracer:
    """Sends spans in batches from a thread of its own; what a collector that is away does not take is let go."""

    def __init__(self, settings: Settings) -> None:
        resource = Resource.create(
            {"service.name": "lienthong", "service.version": __version__, "service.instance.id": f"{settings.host}:{settings.port}"}
        )
        sampler = ParentBased(TraceIdRatioBased(min(1000, max(0, settings.traces_per_thousand)) / 1000))
        self._provider = TracerProvider(resource=resource, sampler=sampler, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.traces_url, timeout=5)))
        self._tracer = self._provider.get_tracer("lienthong.exchanges")

    def watch(self, gathered: Gathered) -> None:
        """Make the spans of what was gathered."""
        for exchange in gathered.exchanges():
            self._span(exchange)

    def close(self) -> None:
        """Send what waits, and stop."""
        self._provider.shutdown()

    def _span(self, exchange: Exchange) -> None:
        began = exchange.began_ms * 1_000_000
        span = self._tracer.start_span(
            f"{exchange.operation} {exchange.service}",
            context=_parent(exchange.trace),
            kind=SpanKind.SERVER,
            start_time=began,
            attributes={
                "lienthong.service": exchange.service,
                "lienthong.operation": exchange.operation,
                "lienthong.door": exchange.door,
                "lienthong.provider": exchange.provider,
                "lienthong.caller": exchange.caller,
                "lienthong.purpose": exchange.purpose,
                "lienthong.outcome": exchange.outcome,
                "lienthong.rule": exchange.rule,
                "http.response.status_code": exchange.status,
                "http.response.body.size": exchange.bytes_out,
            },
        )
        if exchange.outcome == ERROR:
            span.set_status(Status(StatusCode.ERROR))
        span.end(began + exchange.took_us * 1000)


def _parent(trace: str) -> Context | None:
    return _parents.extract({"traceparent": trace}) if trace else None

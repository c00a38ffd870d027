"""Exchanges as X-Road's monitoring tells of them (operational data, health data), and figures of any service, pair of agencies and purpose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

from lienthong import __version__
from lienthong.clock import VIETNAM
from lienthong.store import Connection
from lienthong.store.exchange_records import ERROR, INVALID, MISSING, OK, Exchange, percentile_ms, template_of, unpack, verb_of
from lienthong.store.exchanges import Count, read_counts, read_packed

MOST_RECORDS = 10_000
SECONDS_BEHIND = 5  # a record is there at the latest so long after its exchange ended
HEALTH_SECONDS = 600  # X-Road's own period
SHARES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
GROUPS = ("provider", "service", "operation", "door", "caller", "purpose")


@dataclass(frozen=True)
class Asker:
    """Whose exchanges may be told: all of them (None), or those an agency asked or answered."""

    agency: str | None = None

    def may_see(self, exchange: Exchange) -> bool:
        return self.agency is None or self.agency in (exchange.provider, agency_of(exchange.caller))


@dataclass(frozen=True)
class Place:
    """How this platform is called in the records: its X-Road names and its address."""

    instance: str
    member_class: str
    subsystem: str
    address: str


@dataclass(frozen=True)
class Records:
    """Operational records, and from which second on to ask for more; None when there is no more."""

    records: list[dict[str, Any]]
    next_from: int | None


def agency_of(caller: str) -> str:
    """The agency code of a caller, empty for one that has none."""
    parts = caller.split("/")
    return parts[2] if len(parts) == 4 else ""


def operational_data(
    connection: Connection, asker: Asker, place: Place, begin: int, until: int, now: datetime, client: str = "", fields: Sequence[str] = ()
) -> Records:
    """Records of exchanges that ended in the seconds [begin, until] (Unix time), at most ten thousand, whole seconds at a time."""
    newest = int(now.timestamp()) - SECONDS_BEHIND
    last = min(until, newest)
    found: list[tuple[int, dict[str, Any]]] = []
    following = last + 1 if last < until else None
    if last < begin:
        return Records([], begin)
    for exchange in _between(connection, begin, last + 1):
        second = (exchange.began_ms + exchange.took_us // 1000) // 1000
        if begin <= second <= last and asker.may_see(exchange) and client in ("", exchange.caller):
            found.append((second, record_of(exchange, place)))
            if len(found) > MOST_RECORDS:
                following = max(begin + 1, second - 2)  # batches of several servers overlap by less
                break
    kept = [record for second, record in found if following is None or second < following]
    if fields:
        kept = [{name: record[name] for name in fields if name in record} for record in kept]
    return Records(kept, following)


def record_of(exchange: Exchange, place: Place) -> dict[str, Any]:
    """One exchange under X-Road's names. A path is told by its template."""
    out = exchange.began_ms + exchange.took_us // 1000
    said = exchange.message
    parts = exchange.caller.split("/")
    client = dict(zip(("clientXRoadInstance", "clientMemberClass", "clientMemberCode", "clientSubsystemCode"), parts, strict=False))
    record = {
        "monitoringDataTs": out // 1000,
        "securityServerInternalIp": place.address,
        "securityServerType": "Producer",
        "requestInTs": exchange.began_ms,
        "responseOutTs": out,
        **(client if len(parts) == 4 else {}),
        "serviceXRoadInstance": place.instance,
        "serviceMemberClass": place.member_class,
        "serviceMemberCode": exchange.provider,
        "serviceSubsystemCode": place.subsystem,
        "serviceCode": exchange.service,
        "restMethod": verb_of(exchange),
        "restPath": template_of(exchange),
        "serviceType": "WSDL" if exchange.door == "xroad-soap" else "OPENAPI3",
        "messageUserId": exchange.official or None,
        "messageIssue": exchange.purpose or None,
        "requestSize": exchange.bytes_in,
        "responseSize": exchange.bytes_out,
        "succeeded": exchange.outcome in (OK, MISSING),
        "statusCode": exchange.status,
        "faultCode": exchange.rule or None,
        "xRoadVersion": f"lienthong-{__version__}",
    }
    if said is not None:
        record |= {
            "messageId": said.id,
            "xRequestId": said.request_id,
            "messageProtocolVersion": said.protocol,
            "representedPartyClass": said.party_class or None,
            "representedPartyCode": said.party_code or None,
        }
    return {name: value for name, value in record.items() if value is not None}


@dataclass
class _Spread:
    """Smallest, mean, largest and spread of some numbers."""

    values: list[float] = field(default_factory=list)

    def told(self, name: str) -> dict[str, float]:
        if not self.values:
            return {}
        mean = sum(self.values) / len(self.values)
        spread = sqrt(sum((value - mean) ** 2 for value in self.values) / len(self.values))
        about = {"Min": min(self.values), "Average": mean, "Max": max(self.values)}
        whole = {name.format(word): round(value, 3) for word, value in about.items()}
        return {**whole, f"{name.format('')}StdDev": round(spread, 3)}


@dataclass
class _Service:
    provider: str
    code: str
    last_good: int | None = None
    last_bad: int | None = None
    good: int = 0
    bad: int = 0
    durations: _Spread = field(default_factory=_Spread)
    requests: _Spread = field(default_factory=_Spread)
    responses: _Spread = field(default_factory=_Spread)


def health_data(connection: Connection, asker: Asker, now: datetime) -> list[dict[str, Any]]:
    """Per service, of the last ten minutes: last success and failure, how many of each, durations and sizes of the successful."""
    services: dict[tuple[str, str], _Service] = {}
    begin = int(now.timestamp()) - HEALTH_SECONDS
    for exchange in _between(connection, begin, int(now.timestamp()) + 1):
        if not asker.may_see(exchange):
            continue
        service = services.setdefault((exchange.provider, exchange.service), _Service(exchange.provider, exchange.service))
        ended = exchange.began_ms + exchange.took_us // 1000
        if exchange.outcome in (ERROR, INVALID) or exchange.outcome not in (OK, MISSING):
            service.bad += 1
            service.last_bad = max(service.last_bad or 0, ended)
            continue
        service.good += 1
        service.last_good = max(service.last_good or 0, ended)
        service.durations.values.append(exchange.took_us / 1000)
        service.requests.values.append(exchange.bytes_in)
        service.responses.values.append(exchange.bytes_out)
    return [_told(service) for _, service in sorted(services.items())]


def _told(service: _Service) -> dict[str, Any]:
    return {
        "provider": service.provider,
        "serviceCode": service.code,
        "lastSuccessfulRequestTimestamp": service.last_good,
        "lastUnsuccessfulRequestTimestamp": service.last_bad,
        "lastPeriodStatistics": {
            "successfulRequestCount": service.good,
            "unsuccessfulRequestCount": service.bad,
            **service.durations.told("request{}Duration"),
            **service.requests.told("request{}Size"),
            **service.responses.told("response{}Size"),
        },
    }


@dataclass(frozen=True)
class Figures:
    """What was counted together under the values of some groups, in the order of `GROUPS` asked for."""

    group: tuple[str, ...]
    count: Count

    def document(self, by: Sequence[str]) -> dict[str, Any]:
        count = self.count
        return {
            **dict(zip(by, self.group, strict=True)),
            "calls": count.calls,
            "answered": count.answered,
            "missing": count.missing,
            "refused": count.refused,
            "invalid": count.invalid,
            "errors": count.errors,
            "bytes_in": count.bytes_in,
            "bytes_out": count.bytes_out,
            "mean_ms": round(count.microseconds / 1000 / count.calls, 3) if count.calls else 0.0,
            "slowest_ms": round(count.slowest_us / 1000, 3),
            **{name: round(percentile_ms(count.latencies, share), 3) for name, share in SHARES.items()},
        }


def figures(connection: Connection, asker: Asker, begin: datetime, until: datetime, by: Sequence[str], span: str = "hour") -> list[Figures]:
    """Counts of [begin, until) put together by some of `GROUPS` (`at`: by the hour or day itself), most calls first."""
    together: dict[tuple[str, ...], Count] = {}
    for key, count in read_counts(connection, span, begin, until, asker.agency):
        group = tuple(key.begins_at.isoformat() if name == "at" else str(getattr(key, name)) for name in by)
        together.setdefault(group, Count()).add(count)
    return [Figures(group, count) for group, count in sorted(together.items(), key=lambda item: (-item[1].calls, item[0]))]


def between_agencies(connection: Connection, begin: datetime, until: datetime, span: str) -> dict[tuple[str, str], Count]:
    """(agency that asked, agency that answered) → what passed in [begin, until), most calls first; an asker without a name is ``."""
    together: dict[tuple[str, str], Count] = {}
    for key, count in read_counts(connection, span, _floor(begin, span), until):
        together.setdefault((agency_of(key.caller), key.provider), Count()).add(count)
    return dict(sorted(together.items(), key=lambda item: (-item[1].calls, item[0])))


def _floor(at: datetime, span: str) -> datetime:
    """The beginning of the hour or day an instant is in: what is counted in it counts whole."""
    here = at.astimezone(VIETNAM).replace(minute=0, second=0, microsecond=0)
    return here if span == "hour" else here.replace(hour=0)


def _between(connection: Connection, begin: int, until: int) -> Iterator[Exchange]:
    """Records of packed rows that may hold some of the seconds [begin, until)."""
    first, last = (datetime.fromtimestamp(second, UTC) for second in (begin, until))
    for body in read_packed(connection, first, last + timedelta(seconds=1)):
        yield from unpack(body)

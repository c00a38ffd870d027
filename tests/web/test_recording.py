"""Every exchange leaves its operational record, whichever door it came by, and records become counts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lienthong.pipeline.counting import count_exchanges, counts_of, forget_exchanges
from lienthong.reports.exchanges import Asker, Place, figures, health_data, operational_data
from lienthong.sharing.exchanges import ExchangeBook
from lienthong.store.exchange_records import (
    BUCKETS,
    Exchange,
    Gathered,
    Message,
    Run,
    bounds_us,
    bucket_of,
    in_order,
    outcome_of,
    pack,
    percentile_ms,
    unpack,
)
from tests.conftest import fresh_database
from tests.web.served import CALLER, DATASET, RECORDS, Served, serving
from tests.web.test_soap import look_up

PLACE = Place("VN", "GOV", "du-lieu", "127.0.0.1")
SERVICE = f"/r1/VN/GOV/H10.10/du-lieu/{DATASET}"
ASKED = {"X-Road-Client": CALLER, "X-Road-UserId": "can-bo-01", "X-Road-Issue": "tra-cuu", "X-Road-Represented-Party": "COM/0100109106"}
KEY = quote("7/GP-UBND", safe="")


def exchange(**more: Any) -> Exchange:
    values: dict[str, Any] = {
        "began_ms": 1_780_000_000_000, "took_us": 1_500, "door": "api", "provider": "H10.10", "service": DATASET, "operation": "look_up",
        "caller": CALLER, "official": "can-bo-01", "purpose": "tra-cuu", "agreement": "TT-1", "status": 200, "outcome": "ok", "rule": "",
        "bytes_in": 0, "bytes_out": 100,
    }  # fmt: skip
    return Exchange(**(values | more))


@pytest.fixture(scope="module")
def served(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = Path(tmp_path_factory.mktemp("recording"))
    environment = {"LIENTHONG_XROAD_NETWORKS": "127.0.0.1/32", "LIENTHONG_WORKER": "0"}
    agreement = {"operations": ["look_up", "list", "bulk", "changes"]}
    with fresh_database(postgres_server) as url, serving(url, folder, environment=environment, agreement=agreement) as server:
        yield server


def kept(served: Served, count: int) -> list[dict[str, Any]]:
    """The records, as soon as there are so many."""
    until = time.monotonic() + 120
    later = datetime.now(UTC) + timedelta(minutes=1)
    while time.monotonic() < until:
        with served.workshop.database.connect() as connection:
            found = operational_data(connection, Asker(), PLACE, 0, int(later.timestamp()), later).records
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{len(found)} of {count} records")


def test_every_door_and_every_end_is_recorded(served: Served) -> None:
    headers = served.headers()
    with httpx.Client(base_url=served.base) as client:
        client.get(f"{RECORDS}/{KEY}", headers=headers)
        client.get(f"{RECORDS}/khong-co", headers=headers)
        client.get(f"{RECORDS}/{KEY}", headers={**headers, "Lienthong-Purpose": "khac"})
        client.get(f"{RECORDS}/{KEY}")
        client.get(RECORDS, params={"limit": 2}, headers=headers)
        client.get(RECORDS, headers={**headers, "Accept": "text/csv"})
        client.get(f"/v1/datasets/{DATASET}/changes", headers=headers)
        client.get(f"{RECORDS}/{KEY}", params={"as_of": "2026-01-01"}, headers=headers)
        client.get(RECORDS, params={"khac": "1"}, headers=headers)
        client.get(f"{SERVICE}/{KEY}", headers={**ASKED, "X-Road-Id": "m-7"})
        client.get(f"{SERVICE}/{KEY}", headers={**ASKED, "X-Road-Issue": "khac"})
        client.post("/soap", content=look_up(), headers={"Content-Type": "text/xml"})
        client.get("/v1/datasets")
    found = kept(served, 12)
    assert len(found) == 12
    ends = [(record["restPath"], record["statusCode"], record.get("faultCode"), record["succeeded"]) for record in found]
    assert ends == [
        ("/records/{key}", 200, None, True),
        ("/records/{key}", 404, None, True),
        ("/records/{key}", 403, "other_purpose", False),
        ("/records/{key}", 401, "no_identity", False),
        ("/records", 200, None, True),
        ("/records", 200, None, True),
        ("/changes", 200, None, True),
        ("/records/{key}", 404, None, True),
        ("/records", 400, None, False),
        ("/records/{key}", 200, None, True),
        ("/records/{key}", 403, "other_purpose", False),
        ("/records/{key}", 200, None, True),
    ]
    assert not any("GP-UBND" in str(record) for record in found), "no key is in a record"
    said = found[9]
    assert (said["messageId"], said["messageUserId"], said["messageIssue"]) == ("m-7", "can-bo-01", "tra-cuu")
    assert (said["representedPartyClass"], said["representedPartyCode"]) == ("COM", "0100109106")
    assert (said["clientMemberCode"], said["serviceMemberCode"], said["serviceCode"]) == ("H10.12", "H10.10", DATASET)
    assert said["requestInTs"] <= said["responseOutTs"]
    assert found[5]["responseSize"] > 5_000
    assert found[11]["serviceType"] == "WSDL"
    assert found[3]["statusCode"] == 401
    assert "clientMemberCode" not in found[3]


def test_records_are_counted_once_and_read_by_whom_they_concern(served: Served) -> None:
    total = len(kept(served, 12))
    counted = count_exchanges(served.workshop)
    assert counted == total
    assert count_exchanges(served.workshop) == 0
    begin, until = datetime.now(UTC) - timedelta(days=2), datetime.now(UTC) + timedelta(days=1)
    with served.workshop.database.connect() as connection:
        for span in ("hour", "day"):
            (whole,) = figures(connection, Asker(), begin, until, ("provider",), span)
            assert whole.count.calls == total
            assert whole.count.refused == 3
            assert whole.count.missing == 2
            assert whole.count.invalid == 1
            assert sum(whole.count.latencies) == total
        assert figures(connection, Asker("H99"), begin, until, ("service",)) == []
        assert figures(connection, Asker("H10.12"), begin, until, ("service",))[0].count.calls == total - 1, "not the anonymous one"
        (health,) = health_data(connection, Asker(), datetime.now(UTC))
        assert health["lastPeriodStatistics"]["successfulRequestCount"] == total - 4
        assert health["lastPeriodStatistics"]["requestMinDuration"] <= health["lastPeriodStatistics"]["requestMaxDuration"]
        assert operational_data(connection, Asker("H99"), PLACE, 0, 2**33, datetime.now(UTC)).records == []


def test_figures_are_read_over_http_by_the_agencies_they_concern(served: Served) -> None:
    headers = served.headers()
    with httpx.Client(base_url=served.base, headers=headers) as client:
        records = client.get("/v1/monitoring/records", params={"recordsFrom": 0})
        assert records.status_code == 200, records.text
        assert client.get("/v1/monitoring/records", params={"recordsFrom": "x"}).status_code == 400
        assert client.get("/v1/monitoring/health").json()["services"][0]["serviceCode"] == DATASET
        counts = client.get("/v1/monitoring/counts", params={"by": "caller,purpose"}).json()["counts"]
        assert sum(count["calls"] for count in counts) >= 1
        assert client.get("/v1/monitoring/counts", params={"by": "official"}).status_code == 400
    assert httpx.get(served.base + "/v1/monitoring/health").status_code == 401
    assert served.bodies()[-1]["event"] == "act:request:denied"


def test_records_past_their_days_go_and_counts_by_the_day_stay(served: Served) -> None:
    count_exchanges(served.workshop)
    with served.workshop.database.connect() as connection:
        connection.execute("update exchange_batches set last_at = last_at - interval '100 days'")
        connection.execute("update exchange_counts set begins_at = begins_at - interval '100 days'")
    forget_exchanges(served.workshop, 92, 90)
    with served.workshop.database.connect() as connection:
        assert connection.execute("select count(*) from exchange_batches").fetchone() == (0,)
        spans = connection.execute("select distinct span from exchange_counts").fetchall()
        assert sorted(spans) == [("day",), ("ever",)]


def test_keys_asked_for_in_order_are_marked_and_not_kept() -> None:
    book = ExchangeBook()
    for key in ("079001", "079002", "079003", "079009", "079010", "x9", "x10/GP", "x11/GP", "khong"):
        book.add(exchange(), key)
    book.add(exchange(official="can-bo-02"), "079011")
    (taken,) = book.take()
    assert [one.follows for one in taken.single] == [False, True, True, False, True, False, False, True, False, False]
    assert b"0790" not in pack(taken)
    assert book.take() == []


def test_what_cannot_be_kept_waits_in_its_order() -> None:
    book = ExchangeBook()
    book.add(exchange(status=1))
    first = book.take()
    book.add(exchange(status=2))
    assert book.put_back(first) == 0
    assert [one.status for gathered in book.take() for one in gathered.single] == [1, 2]
    assert book.put_back([Gathered([exchange()] * 150_000, []), Gathered([exchange()] * 100_000, [])]) == 150_000


@given(st.integers(0, 10**9))
def test_a_duration_lies_within_its_bucket(microseconds: int) -> None:
    bounds = list(bounds_us())
    place = bucket_of(microseconds)
    assert 0 <= place < BUCKETS
    assert microseconds <= bounds[place] * 1.000001 or place == BUCKETS - 1
    assert place == 0 or microseconds > bounds[place - 1] * 0.999999


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=200))
def test_a_percentile_is_at_most_a_fifth_too_high(durations: list[int]) -> None:
    latencies = [0] * BUCKETS
    for took in durations:
        latencies[bucket_of(took)] += 1
    median = sorted(durations)[(len(durations) + 1) // 2 - 1]
    told = percentile_ms(latencies, 0.5) * 1000
    assert median <= told * 1.000001
    assert told <= max(100.0, median * 1.19)


@given(
    st.lists(
        st.tuples(st.integers(1_780_000_000_000, 1_780_200_000_000), st.sampled_from(["a", "b"]), st.sampled_from([200, 403, 404, 500])),
        max_size=60,
    )
)
def test_counts_lose_nothing_and_hours_sum_to_days(given_ones: list[tuple[int, str, int]]) -> None:
    exchanges = [
        exchange(began_ms=at, purpose=purpose, status=status, outcome=outcome_of(status, "look_up")) for at, purpose, status in given_ones
    ]
    counts = counts_of(unpack(pack(Gathered(exchanges, []))))
    for span in ("hour", "day"):
        of_span = [count for key, count in counts.items() if key.span == span]
        assert sum(count.calls for count in of_span) == len(exchanges)
        assert sum(count.refused for count in of_span) == sum(status == 403 for _, _, status in given_ones)
        assert sum(sum(count.latencies) for count in of_span) == len(exchanges)


def test_a_packed_record_is_read_as_it_was() -> None:
    whole = exchange(message=Message("m", "r", "u", "i", "COM", "1", "4.0", "VN/GOV/H10/ss"), follows=True)
    assert unpack(pack(Gathered([whole], []))) == [whole]


def test_look_ups_alike_are_kept_together_and_read_one_by_one() -> None:
    run = Run(exchange(), [1000, 2000, 3000], [5, 6, 7], [100, -1, -2], [1])
    gathered = Gathered([exchange(began_ms=1500)], [run])
    assert len(gathered) == 4
    assert gathered.span_ms() == (1000, 3000)
    found = unpack(pack(gathered))
    assert [(one.began_ms, one.status, one.outcome, one.follows) for one in found] == [
        (1000, 200, "ok", False),
        (1500, 200, "ok", False),
        (2000, 404, "missing", True),
        (3000, 500, "error", False),
    ]


@given(st.lists(st.booleans(), max_size=20), st.lists(st.booleans(), min_size=1, max_size=20))
def test_what_is_asked_in_order_is_found_without_reading_the_rest(single: list[bool], together: list[bool]) -> None:
    places = list(range(len(together)))
    run = Run(exchange(), [1000 + n for n in places], [5] * len(places), [100] * len(places), [n for n in places if together[n]])
    body = pack(Gathered([exchange(began_ms=2000 + n, follows=follows) for n, follows in enumerate(single)], [run]))
    read = [(each.caller, each.official, each.began_ms) for each in unpack(body) if each.follows]
    assert sorted(in_order(body)) == sorted(read)


class Plan:
    """What a look-up tells of its right."""

    provider, dataset, caller, purpose, agreement = "H10.10", DATASET, CALLER, "tra-cuu", "TT-1"


def test_keys_of_look_ups_in_order_are_marked_across_batches_and_seconds() -> None:
    book, plan = ExchangeBook(), Plan()

    def follows(*keys: str) -> list[bool]:
        for key in keys:
            book.add_look_ups([(plan, key, "can-bo-01", 1.0, None, 10)], 1.001)  # type: ignore[list-item] # the part of a plan that is used
        (gathered,) = book.take()
        return [one.follows for one in gathered.exchanges()]

    assert follows("7", "8", "10", "9", "x/1", "x/2", "3") == [False, True, False, True, False, True, False]
    assert follows("4", "4", "5") == [True, False, True]

"""Delta Sharing with its own Python client: what a recipient's notebook sees is what its agreement gives, and no more."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyarrow import parquet

from lienthong.access import Actor, Role
from lienthong.pipeline import share_profiles
from tests.doors.environments import ask
from tests.doors.province import CALLER, PURPOSE, Province
from tests.store.ledgers import entries_of

OFFICER = Actor("can-bo", "H10.12", frozenset({Role.DATA_OFFICER}))
TABLE = "TT-CUA.land.parcels"


def profile_of(province: Province, folder: Path, kind: str = "bearer") -> tuple[str, str]:
    """(profile, its file)."""
    issued = share_profiles.issue(province.workshop, OFFICER, CALLER, kind, PURPOSE, "can-bo-01", 30)
    path = folder / f"{issued.profile.profile}.share"
    path.write_text(json.dumps(share_profiles.document_of(issued, province.base + "/delta-sharing")), encoding="utf-8")
    return issued.profile.profile, str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profiles")


@pytest.fixture(scope="module")
def profile(province: Province, folder: Path) -> str:
    return profile_of(province, folder)[1]


@pytest.fixture(scope="module")
def open_profile(province: Province, folder: Path) -> str:
    path = folder / "open.share"
    path.write_bytes(httpx.get(province.base + "/delta-sharing/open.share").raise_for_status().content)
    return str(path)


def test_shares_are_the_recipients_agreements_and_what_is_open(province: Province, profile: str, open_profile: str) -> None:
    assert TABLE in ask("delta", "tables", profile)
    seen = ask("delta", "tables", open_profile)
    assert "open.statistics.indicators" in seen
    assert TABLE not in seen


def test_a_notebook_reads_every_parcel_and_the_ledger_has_grant_and_file(province: Province, profile: str) -> None:
    before = len(entries_of(province.workshop.database, province.workshop.signer))
    found = ask("delta", "read", profile, TABLE)
    told = httpx.get(
        f"{province.base}/v1/datasets/land.parcels/records",
        headers={"Authorization": f"Bearer {province.token()}", "Lienthong-Purpose": PURPOSE, "Lienthong-Official": "can-bo-01"},
        params={"limit": "1000", "sort": "parcel_id"},
    ).json()["records"]
    place = found["columns"].index("parcel_id")
    assert sorted(row[place] for row in found["rows"]) == [record["values"]["parcel_id"] for record in told]
    entries = entries_of(province.workshop.database, province.workshop.signer)[before:]
    begun = [e for e in entries if e["event"] == "answer:bulk:begun"]
    reads = [e for e in entries if e["event"] == "share:file:read"]
    assert [(e["caller"], e["official"], e["purpose"], e["agreement"]) for e in begun + reads] == [
        (CALLER, "can-bo-01", PURPOSE, "TT-CUA")
    ] * 2
    assert begun[0]["details"]["grant"] == reads[0]["details"]["grant"]
    assert reads[0]["details"]["rows"] == len(told)


def test_a_limit_is_kept(profile: str) -> None:
    assert len(ask("delta", "read", profile, TABLE, "3")["rows"]) == 3


def test_a_table_of_nobodys_share_is_a_plain_denial_asked_for_once(profile: str) -> None:
    found = ask("delta", "refused", profile, "TT-KHAC.land.holders")
    assert found["status"] == 404
    assert found["seconds"] < 5  # ten tries would take minutes


def test_oauth_client_credentials_open_the_same_share(province: Province, folder: Path) -> None:
    _, path = profile_of(province, folder, "secret")
    assert ask("delta", "version", path, TABLE) == 1


def test_the_change_feed_begins_with_inserts(profile: str) -> None:
    found = ask("delta", "changes", profile, TABLE, "1")
    assert {(row["_change_type"], row["_commit_version"]) for row in found} == {("insert", 1)}


def test_deltas_own_kernel_reads_the_same_rows_and_changes(profile: str) -> None:
    plain, kernel = ask("delta", "read", profile, TABLE), ask("delta", "kernel", profile, TABLE)
    assert kernel["columns"] == plain["columns"]
    assert sorted(map(str, kernel["rows"])) == sorted(map(str, plain["rows"]))
    assert (kernel["changes"], kernel["changed"]) == ([["insert", 1]], len(plain["rows"]))


@pytest.mark.parametrize("form", ["parquet", "delta"])
def test_who_follows_a_table_by_its_files_gets_what_each_version_brought(province: Province, profile: str, form: str) -> None:
    """What Spark's streaming source asks once it has the table: `startingVersion` and `endingVersion` of a query."""
    token = json.loads(Path(profile).read_text("utf-8"))["bearerToken"]
    address = f"{province.base}/delta-sharing/shares/TT-CUA/schemas/land/tables/parcels"
    headers = {"Authorization": f"Bearer {token}", "delta-sharing-capabilities": f"responseformat={form}"}
    answer = httpx.post(f"{address}/query", json={"startingVersion": 1, "endingVersion": 1}, headers=headers).raise_for_status()
    assert answer.headers["delta-table-version"] == "1"
    first, second, *files = map(json.loads, answer.text.splitlines())
    assert (list(first), list(second)) == (["protocol"], ["metaData"])
    if form == "delta":
        added = [line["file"]["deltaSingleAction"]["add"]["path"] for line in files]
        assert {line["file"]["version"] for line in files} == {1}
    else:
        added = [line["add"]["url"] for line in files]
        assert {line["add"]["version"] for line in files} == {1}
    rows = parquet.read_table(io.BytesIO(httpx.get(added[0]).raise_for_status().content))
    assert len(added) == 1
    assert "_change_type" not in rows.column_names
    assert sorted(rows["parcel_id"].to_pylist()) == sorted(row["parcel_id"] for row in ask("delta", "changes", profile, TABLE, "1"))
    entry = entries_of(province.workshop.database, province.workshop.signer)[-1]
    assert (entry["event"], entry["dataset"]) == ("share:file:read", "land.parcels")


@pytest.mark.parametrize(
    ("asked", "form"),
    [
        ("", "parquet"), ("responseformat=delta,parquet", "parquet"), ("ResponseFormat=Delta;readerFeatures=deletionvectors", "delta"),
        ("readerfeatures=x", "parquet"), ("responseformat=csv", ""),
    ],
)  # fmt: skip
def test_a_client_gets_a_form_it_takes_or_is_told(province: Province, profile: str, asked: str, form: str) -> None:
    token = json.loads(Path(profile).read_text("utf-8"))["bearerToken"]
    address = f"{province.base}/delta-sharing/shares/TT-CUA/schemas/land/tables/parcels"
    headers = {"Authorization": f"Bearer {token}", "delta-sharing-capabilities": asked}
    for answer in (httpx.get(f"{address}/metadata", headers=headers), httpx.post(f"{address}/query", json={}, headers=headers)):
        assert answer.status_code == (200 if form else 400)
        assert answer.headers.get("delta-sharing-capabilities", "") == (f"responseformat={form}" if form else "")
        if form:
            first = json.loads(answer.text.splitlines()[0])["protocol"]
            assert ("deltaProtocol" in first) == (form == "delta")


def signed_address(province: Province, path: str) -> str:
    token = json.loads(Path(path).read_text("utf-8"))["bearerToken"]
    answer = httpx.post(
        f"{province.base}/delta-sharing/shares/TT-CUA/schemas/land/tables/parcels/query",
        json={},
        headers={"Authorization": f"Bearer {token}"},
    )
    answer.raise_for_status()
    assert answer.headers["delta-table-version"] == "1"
    address: str = json.loads(answer.text.splitlines()[2])["file"]["url"]
    return address


def test_an_ended_profile_opens_nothing_also_at_addresses_given_before(province: Province, folder: Path) -> None:
    name, path = profile_of(province, folder)
    address = signed_address(province, path)
    assert httpx.head(address).status_code == 200
    assert httpx.get(address, headers={"Range": "bytes=0-3"}).content == b"PAR1"
    share_profiles.end(province.workshop, OFFICER, name, "thử")
    refused = httpx.get(address)
    assert (refused.status_code, refused.json()["errorCode"]) == (403, "RECIPIENT_REVOKED")
    token = json.loads(Path(path).read_text("utf-8"))["bearerToken"]
    assert httpx.get(province.base + "/delta-sharing/shares", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_rotated_profile_is_good_for_its_overlap_only(province: Province, folder: Path) -> None:
    name, path = profile_of(province, folder)
    issued = share_profiles.rotate(province.workshop, OFFICER, name, 30, 1)
    assert issued.profile.replaces == name
    signed_address(province, path)
    later = next(p for p in share_profiles.listed(province.workshop, OFFICER) if p.profile == name)
    assert not later.stands(datetime.now(UTC) + timedelta(days=2))


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("code=", "code=0"),
        lambda url: url.replace("until=", "until=1"),
        lambda url: url.replace("part-00000", "part-00001"),
        lambda url: url.split("?")[0],
        lambda url: url.split("until=")[0] + "until=٣&code=x",
        lambda url: url.replace("part-00000.parquet", "..%2f..%2fkeys%2fledger.pem"),
        lambda url: url.replace("part-00000.parquet", "made.json"),
    ],
)
def test_an_altered_address_opens_nothing(province: Province, profile: str, change: Any) -> None:
    refused = httpx.get(change(signed_address(province, profile)))
    assert 400 <= refused.status_code < 500
    assert set(refused.json()) >= {"errorCode", "message"}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"version": 0}',
        b'{"version": 99}',
        b'{"version": 1, "timestamp": "2026-01-01T00:00:00Z"}',
        b'{"timestamp": "x"}',
        b'{"limitHint": -1}',
        b'{"limitHint": "1"}',
        b'{"predicateHints": "x"}',
        b'{"startingVersion": 9}',
        b'{"startingVersion": 1, "version": 1}',
        b'{"startingVersion": 1, "endingVersion": 0}',
        b'{"startingVersion": "1"}',
        b'{"endingVersion": 1}',
        b"\xff",
    ],
)
def test_a_senseless_query_is_refused_in_the_protocols_form(province: Province, profile: str, body: bytes) -> None:
    token = json.loads(Path(profile).read_text("utf-8"))["bearerToken"]
    answer = httpx.post(
        f"{province.base}/delta-sharing/shares/TT-CUA/schemas/land/tables/parcels/query",
        content=body,
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 400
    assert answer.json()["errorCode"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    "hint",
    [
        "{" * 50_000,
        json.dumps({"op": "drop table"}),
        '{"op":"and","children":[' * 500 + "{}" + "]}" * 500,
        json.dumps(
            {"op": "equal", "children": [{"op": "column", "name": "'; drop table x"}, {"op": "literal", "value": [], "valueType": "int"}]}
        ),
    ],
)
def test_a_hint_that_makes_no_sense_leaves_nothing_out(profile: str, hint: str, province: Province) -> None:
    token = json.loads(Path(profile).read_text("utf-8"))["bearerToken"]
    answer = httpx.post(
        f"{province.base}/delta-sharing/shares/TT-CUA/schemas/land/tables/parcels/query",
        json={"jsonPredicateHints": hint, "predicateHints": [hint, "x = 'a' or 1=1"]},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 200
    assert len(answer.text.splitlines()) == 3


@pytest.mark.parametrize(
    "query",
    [
        "",
        "startingVersion=x",
        "startingVersion=9",
        "startingVersion=1&endingVersion=0",
        "startingVersion=1&startingTimestamp=2026-01-01",
        "startingVersion=1&x=1",
        "startingTimestamp=2999-01-01",
    ],
)
def test_a_span_of_changes_that_is_none_is_refused(province: Province, profile: str, query: str) -> None:
    token = json.loads(Path(profile).read_text("utf-8"))["bearerToken"]
    address = f"{province.base}/delta-sharing/shares/tt-cua/schemas/LAND/tables/parcels/changes?{query}"
    assert httpx.get(address, headers={"Authorization": f"Bearer {token}"}).status_code == 400

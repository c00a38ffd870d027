"""Another Lienthong as a source: a second platform really served, its change feed followed under an agreement; and its OData and CKAN doors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lienthong.contracts import Delivery, Source
from lienthong.errors import SourceError
from lienthong.pipeline import run_dataset
from lienthong.store.embedded import EmbeddedServer
from tests.conftest import fresh_database, open_folder
from tests.connectors.reading import make_source, read_all
from tests.factories import make_contract, make_property, make_workshop
from tests.web.served import CALLER, DATASET, LICENCES, Served, serving


@pytest.fixture(scope="module")
def served(postgres_server: EmbeddedServer) -> Iterator[Served]:
    agreement = {"operations": ["changes", "list", "bulk", "look_up"]}
    with fresh_database(postgres_server) as url, open_folder() as folder, serving(url, folder, agreement=agreement) as one:
        yield one


def auth_of(served: Served) -> dict[str, Any]:
    key = served.folder / "khoa.json"
    key.write_text(json.dumps(dict(served.private)))
    return {"kind": "oauth2_private_key_jwt", "token_url": f"{served.base}/oauth/token", "client_id": CALLER, "key_file": str(key)}


def source_of(served: Served, **more: Any) -> Source:
    options = {"dataset": DATASET, "purpose": "tra-cuu", "official": "can-bo-07", "key": ["licence_no"], "auth": auth_of(served), **more}
    return make_source("lienthong", served.base, Delivery.CHANGES, **options)


def publish(served: Served, holders: dict[int, str]) -> None:
    lines = ["licence_no,holder", *(f"{n}/GP-UBND,{holder}" for n, holder in holders.items())]
    (served.folder / "licences.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    run_dataset(served.workshop, served.workshop.contracts[DATASET])


def test_a_dataset_follows_another_platform_s_with_ends_and_leaves_its_proof_there(served: Served, database_url: str) -> None:
    properties = (make_property("licence_no", required=True, key_position=1), make_property("holder"))
    contract = make_contract(sources=(source_of(served),), properties=properties)
    workshop = make_workshop(database_url, contract)

    def holders() -> dict[str, str]:
        with workshop.database.connect() as connection:
            return dict(connection.execute("select licence_no, holder from data.test_people").fetchall())

    assert run_dataset(workshop, contract).rows_published == LICENCES
    assert holders()["7/GP-UBND"] == "Công ty số 7"
    standing = {n: f"Công ty số {n}" for n in range(LICENCES) if n not in (1, 2)} | {7: "Chủ mới", 900: "Mới"}
    publish(served, standing)
    outcome = run_dataset(workshop, contract)
    assert holders() == {f"{n}/GP-UBND": holder for n, holder in standing.items()}
    assert (outcome.rows_in, outcome.rows_published, outcome.rows_ended) == (4, 4, 2)
    assert run_dataset(workshop, contract).rows_in == 0
    assert run_dataset(workshop, contract, whole=True).rows_ended == 0
    assert holders() == {f"{n}/GP-UBND": holder for n, holder in standing.items()}
    told = [entry for entry in served.bodies() if entry["event"] == "answer:changes:given"]
    assert {(entry["caller"], entry["official"], entry["purpose"]) for entry in told} == {(CALLER, "can-bo-07", "tra-cuu")}


def test_reading_goes_on_in_the_middle_of_the_feed(served: Served) -> None:
    whole = read_all(source_of(served), 1000)
    done = 0
    for batch in read_all(source_of(served), 97).batches:
        done += batch.table.num_rows
        assert read_all(source_of(served), 1000, batch.position).rows == whole.rows[done:]


def test_what_the_other_platform_refuses_is_told(served: Served, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="403"):
        read_all(source_of(served, purpose="tò mò"))
    with pytest.raises(SourceError, match="gave no token"):
        read_all(source_of(served, auth={**auth_of(served), "client_id": "VN/GOV/H10.12/khac"}))
    (tmp_path / "sai.pem").write_text("không phải khóa")
    with pytest.raises(SourceError, match="is no private key") as caught:
        read_all(source_of(served, auth={**auth_of(served), "key_file": str(tmp_path / "sai.pem")}))
    assert "không phải khóa\n" not in str(caught.value)


def test_its_odata_door_is_read_like_any_odata_service(served: Served) -> None:
    headers = {"Lienthong-Purpose": "tra-cuu", "Lienthong-Official": "can-bo-07"}
    source = make_source(
        "odata", f"{served.base}/odata/v4/test_licences", key=["licence_no"], page_size=100, auth=auth_of(served), headers=headers
    )
    rows = read_all(source, 64).rows
    with httpx.Client(headers=served.headers()) as client:
        count = len(client.get(f"{served.base}/v1/datasets/{DATASET}/records", params={"limit": 1000}).json()["records"])
    assert len({row["licence_no"] for row in rows}) == len(rows) == count


def test_its_ckan_door_is_read_like_any_portal(served: Served) -> None:
    headers = {"Lienthong-Purpose": "tra-cuu", "Lienthong-Official": "can-bo-07"}
    with httpx.Client(base_url=served.base, headers=served.headers()) as client:
        package = client.get("/api/3/action/package_show", params={"id": "test_licences"}).json()["result"]
    resource = next(each["id"] for each in package["resources"] if each.get("datastore_active"))
    source = make_source("ckan", served.base, resource=resource, page_size=70, auth=auth_of(served), headers=headers)
    rows = read_all(source, 64).rows
    assert len({row["licence_no"] for row in rows}) == len(rows) >= LICENCES - 1

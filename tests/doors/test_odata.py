"""OData, read by `python-odata` from its `$metadata` alone."""

from __future__ import annotations

import httpx

from lienthong.access import Actor, Role
from lienthong.pipeline import share_profiles
from tests.doors.environments import ask
from tests.doors.province import CALLER, PURPOSE, RESTRICTED, STRANGER, Province
from tests.store.ledgers import entries_of


def name_of(dataset: str) -> str:
    return dataset.replace(".", "_").replace("-", "_")


def test_a_profile_lets_a_workbook_in_until_it_ends(province: Province) -> None:
    officer = Actor("can-bo", "H10.12", frozenset({Role.DATA_OFFICER}))
    issued = share_profiles.issue(province.workshop, officer, CALLER, "bearer", PURPOSE, "can-bo-01", 30)
    token = share_profiles.document_of(issued, province.base)["bearerToken"]
    assert "land_parcels" in ask("python_odata", "sets", province.base, TOKEN=token)
    address = f"{province.base}/odata/v4/land_parcels?$top=1"
    asked = {"Lienthong-Purpose": "khac", "Lienthong-Official": "nguoi-khac"}  # the profile's are not the caller's to change
    assert httpx.get(address, auth=("ai-do/khac", token), headers=asked).status_code == 200
    entry = entries_of(province.workshop.database, province.workshop.signer)[-1]
    assert (entry["caller"], entry["official"], entry["purpose"], entry["details"]["door"]) == (CALLER, "can-bo-01", PURPOSE, "odata")
    assert httpx.get(address, auth=("can-bo-01", token[:-1] + ("A" if token[-1] != "A" else "B"))).status_code == 401
    share_profiles.end(province.workshop, officer, issued.profile.profile, "thử")
    ended = httpx.get(address, auth=("can-bo-01", token))
    assert (ended.status_code, ended.json()["error"]["code"]) == (401, "unauthenticated")


def test_a_client_without_a_token_sees_open_data_and_with_one_what_its_agreement_gives(province: Province) -> None:
    nobody = ask("python_odata", "sets", province.base)
    partner = ask("python_odata", "sets", province.base, TOKEN=province.token())
    assert set(partner) - set(nobody) == {"land_parcels"}
    whole = httpx.get(f"{province.base}/odata/v4/land_parcels/$count", auth=("can-bo-01", province.token()))
    rows = ask("python_odata", "rows", province.base, "land_parcels", "parcel_id", TOKEN=province.token())
    assert len(rows) == len(set(rows)) == int(whole.text)
    assert ask("python_odata", "refused", province.base, name_of(RESTRICTED), TOKEN=province.token(STRANGER)) == [403, "denied"]

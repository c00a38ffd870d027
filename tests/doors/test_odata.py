"""OData, read by `python-odata` from its `$metadata` alone."""

from __future__ import annotations

import httpx

from tests.doors.environments import ask
from tests.doors.province import RESTRICTED, STRANGER, Province


def name_of(dataset: str) -> str:
    return dataset.replace(".", "_").replace("-", "_")


def test_a_client_without_a_token_sees_open_data_and_with_one_what_its_agreement_gives(province: Province) -> None:
    nobody = ask("python_odata", "sets", province.base)
    partner = ask("python_odata", "sets", province.base, TOKEN=province.token())
    assert set(partner) - set(nobody) == {"land_parcels"}
    whole = httpx.get(f"{province.base}/odata/v4/land_parcels/$count", auth=("can-bo-01", province.token()))
    rows = ask("python_odata", "rows", province.base, "land_parcels", "parcel_id", TOKEN=province.token())
    assert len(rows) == len(set(rows)) == int(whole.text)
    assert ask("python_odata", "refused", province.base, name_of(RESTRICTED), TOKEN=province.token(STRANGER)) == [403, "denied"]

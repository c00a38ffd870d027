"""A breaking change that is announced, on a real server: both versions in one answer, and every answer says when the old one ends."""

from __future__ import annotations

import copy
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from lienthong.clock import vietnam_date
from lienthong.contracts import build
from lienthong.pipeline import noticing
from tests.conftest import fresh_database
from tests.patience import until
from tests.web.served import CONTRACT, RECORDS, serving


def test_a_server_takes_a_notice_up_without_a_restart(postgres_server: Any, tmp_path: Path) -> None:
    document = copy.deepcopy(CONTRACT)
    document["version"] = "2.0.0"
    properties = document["schema"][0]["properties"]
    properties[1] |= {"name": "holder_name", "customProperties": [{"property": "source", "value": "holder"}]}
    with (
        fresh_database(postgres_server) as url,
        serving(url, tmp_path, agreement={"operations": ["look_up", "list"]}) as served,
        httpx.Client(base_url=served.base, headers=served.headers()) as client,
    ):
        before = client.get(f"{RECORDS}/7%2FGP-UBND")
        assert "sunset" not in before.headers
        day = vietnam_date(served.workshop.clock()) + timedelta(days=20)
        noticing.announce(served.workshop, build(document, "new"), "Đổi tên trường", "o", day)
        until(lambda: "sunset" in client.get(f"{RECORDS}/7%2FGP-UBND").headers, "the notice")
        after = client.get(f"{RECORDS}/7%2FGP-UBND")
        assert after.json()["values"]["holder"] == "Công ty số 7"  # what was written goes on working
        assert after.headers["deprecation"].startswith("@")
        assert after.headers["sunset"].endswith("GMT")
        assert 'rel="deprecation"' in after.headers["link"]
        page = client.get(RECORDS, params={"limit": 2})
        assert page.status_code == 200, page.text
        assert page.headers["sunset"] == after.headers["sunset"]

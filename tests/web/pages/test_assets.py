"""What is shipped of others is what its manifest says, with its licence; addresses change when the bytes do; nothing comes from elsewhere."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from importlib import resources
from pathlib import Path

import pytest

from lienthong.web.pages.assets import assets

STATIC = Path(str(resources.files("lienthong.web"))) / "static"
MANIFEST = json.loads((STATIC / "assets.json").read_text("utf-8"))
OURS = {"lienthong.css", "lienthong.js", "mark.svg"}
BUDGET = 150_000  # bytes of a first view: scripts, styles and fonts, as they travel


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_each_vendored_file_is_the_one_in_the_manifest(entry: dict[str, str]) -> None:
    body = (STATIC / entry["file"]).read_bytes()
    assert hashlib.sha256(body).hexdigest() == entry["sha256"]
    assert "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode() == entry["integrity"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
    assert entry["licence"] in ("0BSD", "MIT", "Apache-2.0", "OFL-1.1", "ISC", "BSD-3-Clause")


def test_every_file_is_ours_or_in_the_manifest() -> None:
    assert set(assets()) == OURS | {entry["file"] for entry in MANIFEST}


def test_an_address_holds_the_hash_of_its_bytes() -> None:
    for asset in assets().values():
        assert hashlib.sha256(asset.body).hexdigest()[:12] in asset.hashed


def test_styles_and_scripts_of_ours_name_nothing_outside() -> None:
    for name in OURS - {"mark.svg"}:
        assert not re.search(rb"https?://|//[a-z]", assets()[name].body.replace(b"// ", b""))


def test_a_first_view_fits_its_budget() -> None:
    sizes = {asset.name: len(asset.body if asset.name.endswith("woff2") else gzip.compress(asset.body, 9)) for asset in assets().values()}
    assert sum(sizes.values()) <= BUDGET, sizes

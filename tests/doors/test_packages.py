"""Data Package, CSV on the Web and ODCS: what describes the data is read, and holds, in the clients people use."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from tests.doors.environments import ask
from tests.doors.province import FIGURE_DATASET, RESTRICTED, Province

READINGS = "environment.readings"


def get(province: Province, path: str, **headers: str) -> httpx.Response:
    return httpx.get(province.base + path, headers=headers)


def test_frictionless_finds_the_package_valid_with_its_hashes_types_and_keys(province: Province) -> None:
    for dataset, keys in ((FIGURE_DATASET, [1, 0]), (READINGS, [0])):
        found = ask("packages", "valid", province.base, dataset)
        assert (found["valid"], found["errors"], found["keys"]) == (True, [], keys)
        assert all(found["hash"])
        assert found["licenses"][0]["name"] == "vn-ogd"


def test_frictionless_finds_a_bad_cell_by_the_package_s_schema(province: Province, tmp_path: Path) -> None:
    """A wrong whole number, a code that breaks its pattern, a missing key."""
    head = get(province, f"/dataset/{FIGURE_DATASET}.csv?limit=1").text.splitlines()[0]
    (tmp_path / "bad.csv").write_text(f"{head}\nDS01,688,hai nghìn,Huyện,1.5,%\nx,688,2020,Huyện,1.5,%\nDS01,,2020,Huyện,1.5,%\n", "utf-8")
    found = ask("packages", "spoiled", province.base, FIGURE_DATASET, str(tmp_path), "bad.csv")
    assert ["type-error", "year"] in found
    assert ["constraint-error", "indicator_code"] in found
    assert ["constraint-error", "district_code"] in found


def test_csvw_says_ok_and_says_fail_for_a_wrong_whole_number(province: Province, tmp_path: Path) -> None:
    for dataset in (FIGURE_DATASET, READINGS):
        found = ask("csv_web", "valid", province.base, dataset)
        assert (found["valid"], found["warnings"]) == (True, [])
    metadata = get(province, f"/dataset/{FIGURE_DATASET}.csv-metadata.json").json()
    text = get(province, f"/dataset/{FIGURE_DATASET}.csv").text
    for name, content, expected in (("good", text, True), ("bad", text.replace(",2019,", ",hai nghìn,", 1), False)):
        (tmp_path / f"{name}.csv").write_text(content, "utf-8")
        (tmp_path / f"{name}.csv-metadata.json").write_text(json.dumps({**metadata, "url": f"{name}.csv"}), "utf-8")
        assert ask("csv_web", "spoiled", str(tmp_path / f"{name}.csv-metadata.json"))["valid"] is expected


def test_a_file_is_the_same_bytes_each_time_and_has_the_hash_it_is_told_by(province: Province) -> None:
    resource = get(province, f"/dataset/{FIGURE_DATASET}/datapackage.json").json()["resources"][0]
    first, second = (httpx.get(resource["path"]).content for _ in range(2))
    assert first == second
    assert (len(first), f"sha256:{hashlib.sha256(first).hexdigest()}") == (resource["bytes"], resource["hash"])


def test_the_csv_names_its_description_and_comes_with_a_mark_for_excel_when_asked(province: Province) -> None:
    answer = get(province, f"/dataset/{FIGURE_DATASET}.csv")
    address = f"<{province.base}/dataset/{FIGURE_DATASET}.csv-metadata.json>"
    assert answer.headers["link"] == f'{address}; rel="describedby"; type="application/csvm+json"'
    assert not answer.content.startswith(b"\xef\xbb\xbf")
    assert get(province, f"/dataset/{FIGURE_DATASET}.csv?bom=true").content.startswith(b"\xef\xbb\xbf")
    assert "link" not in get(province, f"/dataset/{FIGURE_DATASET}.csv?fields=year").headers


def test_every_form_of_a_file_holds_the_same_rows(province: Province) -> None:
    rows = len(list(csv.reader(io.StringIO(get(province, f"/dataset/{FIGURE_DATASET}.csv").text)))) - 1
    assert len(get(province, f"/dataset/{FIGURE_DATASET}.json").json()) == rows
    assert get(province, f"/dataset/{FIGURE_DATASET}.parquet").content[:4] == b"PAR1"
    assert get(province, f"/dataset/{FIGURE_DATASET}.xlsx").content[:2] == b"PK"
    assert get(province, "/dataset/statistics_indicators.csv").status_code == 200  # by its name in CKAN


def test_a_version_stays_where_it_is(province: Province) -> None:
    newest = get(province, f"/dataset/{FIGURE_DATASET}.csv").content
    assert get(province, f"/dataset/{FIGURE_DATASET}/versions/1.csv").content == newest
    for path in (
        "versions/2.csv",
        "versions/0.csv",
        "versions/-1.csv",
        "versions/x.csv",
        "versions/99999999999999999999.csv",
        "versions/1.exe",
    ):
        assert get(province, f"/dataset/{FIGURE_DATASET}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["{}.csv", "{}.parquet", "{}/datapackage.json", "{}.csv-metadata.json", "{}/versions/1.json"])
def test_what_is_not_open_is_refused_at_each_address(province: Province, path: str) -> None:
    answer = get(province, "/dataset/" + path.format(RESTRICTED))
    assert answer.status_code in (401, 403)
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_an_agreement_opens_the_file_and_describes_what_is_seen(province: Province) -> None:
    """By a token as CKAN's clients send it, raw, and as everybody else does."""
    token = province.token()
    for sent in (token, f"Bearer {token}"):
        headers = {"Authorization": sent, "Lienthong-Official": "can-bo-01"}
        described = get(province, "/dataset/land.parcels/datapackage.json", **headers).json()["resources"][0]
        answer = get(province, "/dataset/land.parcels.csv", **headers)
        assert answer.status_code == 200, answer.text
        assert answer.text.splitlines()[0].replace('"', "").split(",") == [field["name"] for field in described["schema"]["fields"]]
        assert "hash" not in described


def test_a_contract_leaves_without_where_its_sources_are_and_is_accepted_by_its_own_tool(province: Province, tmp_path: Path) -> None:
    paths = []
    for contract in province.workshop.contracts.values():
        answer = get(province, f"/contracts/{contract.id}/{contract.version}.yaml")
        document = yaml.safe_load(answer.text)
        assert document["id"] == contract.id
        assert "sources" not in [word["property"] for word in document["customProperties"]]
        for source in contract.sources:
            assert source.location not in answer.text
        paths.append(tmp_path / f"{contract.id}.yaml")
        paths[-1].write_text(answer.text, "utf-8")
    program = (
        "import json, sys\nfrom datacontract.data_contract import DataContract\n"
        "print(json.dumps({path: DataContract(data_contract_file=path).lint().result.value for path in sys.argv[1:]}))"
    )
    done = subprocess.run([sys.executable, "-c", program, *map(str, paths)], capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout.splitlines()[-1]).values()) == {"passed"}


def test_there_is_no_contract_of_a_version_that_never_was(province: Province) -> None:
    assert get(province, f"/contracts/{FIGURE_DATASET}/9.9.9.yaml").status_code == 404
    assert get(province, "/contracts/none.such/1.0.0.yaml").status_code == 404


def test_licences_are_told_with_their_terms(province: Province) -> None:
    found = {each["id"]: each for each in get(province, "/v1/licences").json()["licences"]}
    assert "thương mại" in found["vn-ogd"]["description"]
    assert found["cc-by-4.0"]["url"] == "https://creativecommons.org/licenses/by/4.0/"
    assert get(province, "/v1/licences/vn-ogd").json()["id"] == "vn-ogd"
    assert get(province, "/v1/licences/all-rights-reserved").status_code == 404


HOSTILE: list[tuple[str, int]] = [
    (f"/dataset/{FIGURE_DATASET}.csv?limit=-1", 400),
    (f"/dataset/{FIGURE_DATASET}.csv?nothing=1", 400),
    (f"/dataset/{FIGURE_DATASET}.csv?cursor=x", 400),
    (f"/dataset/{FIGURE_DATASET}/datapackage.json?x=1", 400),
    ("/dataset/..%2f..%2fetc%2fpasswd.csv", 404),
    ("/dataset/%00.csv", 404),
    ("/dataset/none.such.csv", 404),
    ("/contracts/statistics.indicators/..%2f1.yaml", 404),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status"), HOSTILE)
def test_hostile_addresses_are_refused_as_problems(province: Province, path: str, status: int) -> None:
    answer = get(province, path)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (status, "application/problem+json")


def test_writing_is_no_method_of_a_file(province: Province) -> None:
    answer = httpx.post(f"{province.base}/dataset/{FIGURE_DATASET}.csv")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")

"""SDMX REST 2.1 in process: structures, keys, periods, forms, and refusals with SDMX's codes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from lxml import etree
from starlette.testclient import TestClient

from lienthong.access import Register, RowCondition
from lienthong.contracts import Contract, Layer, Rule, Sensitivity, Sharing
from lienthong.pipeline import run_dataset
from lienthong.store.embedded import EmbeddedServer
from lienthong.web.doors.sdmx.flows import code_of, flow_of, value_of
from lienthong.web.doors.sdmx.periods import span_of
from tests.conftest import fresh_database, open_folder
from tests.factories import make_contract, make_property, make_workshop
from tests.web.counters import READER, Province, asking, entries, make_agreement, make_app

ROOT = "/sdmx/2.1"
GENERIC = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/data/generic}"
STRUCTURE = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure}"
COMMON = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common}"
MESSAGE = "{http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message}"
SPECIFIC_FORM = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
JSON_FORM = "application/vnd.sdmx.data+json;version=1.0.0"

PUBLIC: dict[str, Any] = {"sensitivity": Sensitivity.PUBLIC, "required": True}
AREA = make_property(
    "area", key_position=2, rules=(Rule("r", "reference", ("area",), {"dataset": "test.areas", "column": "code"}),), **PUBLIC
)
FIGURES = (
    make_property("indicator", key_position=1, **PUBLIC), AREA, make_property("year", "integer", key_position=3, **PUBLIC),
    make_property("value", "number", **PUBLIC), make_property("unit", sensitivity=Sensitivity.PUBLIC),
)  # fmt: skip
AREAS = (
    make_property("code", key_position=1, **PUBLIC), make_property("valid_from", "date", key_position=2, **PUBLIC),
    make_property("name", **PUBLIC), make_property("valid_to", "date", sensitivity=Sensitivity.PUBLIC),
)  # fmt: skip
QUARTERS = (
    make_property("age", "integer", key_position=1, **PUBLIC), make_property("period", key_position=2, **PUBLIC),
    make_property("persons", "integer", **PUBLIC), make_property("note", sensitivity=Sensitivity.INTERNAL),
)  # fmt: skip
VALUES = [
    (indicator, area, year, number)
    for indicator in ("DS01", "PM2.5")
    for area in ("01", "02")
    for year, number in ((2022, 10), (2023, 11.5), (2024, 12))
]


@dataclass(frozen=True)
class Statistics(Province):
    """Open figures, the areas they are of, and counts by quarter under an agreement that shows the young."""

    figures: Contract

    @property
    def register(self) -> Register:
        agreement = make_agreement(READER, dataset="test.quarters", row_filter=(RowCondition("age", "lte", 30),))
        return Register({}, (agreement,))


@pytest.fixture(scope="module")
def province(postgres_server: EmbeddedServer) -> Iterator[Statistics]:
    with open_folder() as folder, fresh_database(postgres_server) as url:
        more: dict[str, Any] = {"layer": Layer.AGGREGATE}
        figures = make_contract(str(folder / "figures.csv"), id="test.figures", properties=FIGURES, sharing=Sharing.OPEN, **more)
        areas = make_contract(str(folder / "areas.csv"), id="test.areas", properties=AREAS, sharing=Sharing.OPEN)
        quarters = make_contract(str(folder / "quarters.csv"), id="test.quarters", properties=QUARTERS, **more)
        rows = [f"{indicator},{area},{year},{value},người" for indicator, area, year, value in VALUES]
        (folder / "figures.csv").write_text("\n".join(["indicator,area,year,value,unit", *rows]) + "\n", encoding="utf-8")
        lives = ["01,2000-01-01,Huyện cũ,2025-07-01", "01,2025-07-01,Xã mới,", "02,2000-01-01,Huyện Hai,"]
        (folder / "areas.csv").write_text("\n".join(["code,valid_from,name,valid_to", *lives]) + "\n", encoding="utf-8")
        counts = [f"{age},{period},{age * 10}," for age in (20, 30, 40) for period in ("2024-Q1", "2024-Q2", "2023")]
        (folder / "quarters.csv").write_text("\n".join(["age,period,persons,note", *counts]) + "\n", encoding="utf-8")
        workshop = make_workshop(url, figures, areas, quarters)
        for contract in (figures, areas, quarters):
            run_dataset(workshop, contract)
        yield Statistics(workshop, quarters, areas, folder, figures)


@pytest.fixture(scope="module")
def client(province: Province) -> Iterator[TestClient]:
    with TestClient(make_app(province)) as opened:
        yield opened


def observations(answer: Any) -> dict[tuple[str, ...], str]:
    """Generic data, flat: (series key…, time) → value."""
    assert answer.status_code == 200, answer.text
    found = {}
    root = etree.fromstring(answer.content)
    for series in root.iter(GENERIC + "Series"):
        key = tuple(each.get("value") for each in series.find(GENERIC + "SeriesKey"))
        for each in series.iter(GENERIC + "Obs"):
            found[(*key, each.find(GENERIC + "ObsDimension").get("value"))] = each.find(GENERIC + "ObsValue").get("value")
    return found


def error_of(answer: Any) -> str:
    root = etree.fromstring(answer.content)
    assert root.tag == MESSAGE + "Error"
    return str(root.find(MESSAGE + "ErrorMessage").get("code"))


def test_a_flow_comes_with_its_structure_codes_and_concepts(client: TestClient, province: Province) -> None:
    answer = client.get(f"{ROOT}/dataflow/LIENTHONG/test_figures/latest?references=all")
    assert answer.headers["content-type"] == "application/vnd.sdmx.structure+xml;version=2.1"
    root = etree.fromstring(answer.content)
    dimensions = [each.get("id") for each in root.find(f".//{STRUCTURE}DimensionList")]
    assert dimensions == ["indicator", "area", "TIME_PERIOD"]
    assert [each.get("id") for each in root.iter(STRUCTURE + "PrimaryMeasure") if each.get("id")] == ["OBS_VALUE"]
    assert [each.get("id") for each in root.iter(STRUCTURE + "Attribute")] == ["UNIT_MEASURE"]
    codes = {each.get("id"): [code.get("id") for code in each.iter(STRUCTURE + "Code")] for each in root.iter(STRUCTURE + "Codelist")}
    assert codes == {"CL_test_figures_indicator": ["DS01", "PM2$2E5"], "CL_test_areas_code": ["01", "02"]}
    first = next(root.iter(STRUCTURE + "Code"))
    assert first.get("id") == "DS01"
    lives = [each.text for each in root.iter(COMMON + "AnnotationTitle")]
    assert lives == ["2000-01-01/2025-07-01", "2025-07-01/", "2000-01-01/"]
    pages = [(body["dataset"], body["details"]["door"]) for body in entries(province) if body["event"] == "answer:page:given"][-2:]
    assert sorted(pages) == [("test.areas", "sdmx"), ("test.figures", "sdmx")]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("dataflow", ["Dataflow"]), ("dataflow/all/all/latest", ["Dataflow"]), ("dataflow/LIENTHONG/test_figures/1.0.0", ["Dataflow"]),
        ("dataflow/all/test_figures?references=children", ["Dataflow", "DataStructure"]),
        ("datastructure/all/test_figures?references=parents", ["Dataflow", "DataStructure"]),
        ("datastructure/all/test_figures?references=codelist", ["Codelist", "Codelist", "DataStructure"]),
        ("datastructure/all/test_figures?references=descendants&detail=referencestubs", ["Codelist", "Codelist", "ConceptScheme", "DataStructure"]),
        ("codelist/all/CL_test_areas_code", ["Codelist"]), ("conceptscheme/LIENTHONG/CS_test_figures", ["ConceptScheme"]),
        ("agencyscheme", ["AgencyScheme"]), ("dataproviderscheme", ["DataProviderScheme"]), ("codelist?detail=allstubs", ["Codelist", "Codelist"]),
        ("codelist/all/CL_test_areas_code?references=parents", ["Codelist", "DataStructure"]),
    ],
)  # fmt: skip
def test_structures_are_found_and_follow_their_references(client: TestClient, path: str, found: list[str]) -> None:
    root = etree.fromstring(client.get(f"{ROOT}/{path}").content)
    kinds = ("Dataflow", "DataStructure", "Codelist", "ConceptScheme", "AgencyScheme", "DataProviderScheme")
    assert [etree.QName(each).localname for kind in sorted(kinds) for each in root.iter(STRUCTURE + kind)] == sorted(found)
    if "stubs" in path:
        assert {each.get("isExternalReference") for each in root.iter(STRUCTURE + "Codelist")} == {"true"}
        assert not list(root.iter(STRUCTURE + "Code"))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("test_figures/all", 12), ("test_figures", 12), ("LIENTHONG,test_figures,1.0.0/DS01.", 6), ("test_figures/DS01.01", 3), ("test_figures/.01+02", 12),
        ("test_figures/PM2$2E5.02", 3), ("test_figures/DS01.01/H10_02?startPeriod=2023", 2), ("test_figures/all?startPeriod=2022-07", 8),
        ("test_figures/all?endPeriod=2023-Q4&startPeriod=2023-Q1", 4), ("test_figures/all?endPeriod=2023-06", 4),
        ("test_figures/all?startPeriod=2024-01-01&endPeriod=2024-12-31", 4), ("test_figures/DS01.01?lastNObservations=1", 1),
        ("test_figures/all?firstNObservations=1&lastNObservations=1", 8), ("test_figures/all?firstNObservations=9", 12),
        ("test_figures/all?lastNObservations=9", 12), ("test_figures/all?updatedAfter=2020-01-01T00:00:00Z", 12),
    ],
)  # fmt: skip
def test_data_is_what_key_and_periods_ask(client: TestClient, path: str, found: int) -> None:
    answer = client.get(f"{ROOT}/data/{path}")
    assert len(observations(answer)) == found
    assert answer.headers["content-type"] == "application/vnd.sdmx.genericdata+xml;version=2.1"


def test_the_last_and_the_first_of_a_series(client: TestClient) -> None:
    assert observations(client.get(f"{ROOT}/data/test_figures/DS01.01?lastNObservations=2")) == {
        ("DS01", "01", "2023"): "11.5", ("DS01", "01", "2024"): "12",
    }  # fmt: skip
    assert observations(client.get(f"{ROOT}/data/test_figures/DS01.01?firstNObservations=1")) == {("DS01", "01", "2022"): "10"}


def test_a_large_message_leaves_in_pieces_with_an_entry_before_and_after(
    client: TestClient, province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lienthong.web.doors.asking.LARGEST_AT_ONCE", 1)
    answer = client.get(f"{ROOT}/data/test_figures/all")
    assert len(observations(answer)) == 12
    begun, ended = entries(province)[-2:]
    assert (begun["event"], begun["details"]["door"]) == ("answer:bulk:begun", "sdmx")
    assert (ended["event"], ended["outcome"], ended["details"]["rows"]) == ("answer:bulk:ended", "complete", 12)
    assert ended["answer_digest"] == hashlib.sha256(answer.content).hexdigest()


def test_a_head_asks_for_nothing_and_leaves_nothing(client: TestClient, province: Province) -> None:
    before = len(entries(province))
    answer = client.head(f"{ROOT}/data/test_figures/all")
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(entries(province)) == before


def test_other_forms_tell_the_same(client: TestClient) -> None:
    specific = client.get(f"{ROOT}/data/test_figures/DS01.01", headers={"Accept": SPECIFIC_FORM})
    assert specific.headers["content-type"] == SPECIFIC_FORM
    found = [dict(each.attrib) for each in etree.fromstring(specific.content).iter("Obs")]
    assert found[1] == {"TIME_PERIOD": "2023", "OBS_VALUE": "11.5", "UNIT_MEASURE": "người"}
    body = client.get(f"{ROOT}/data/test_figures/DS01.01", headers={"Accept": JSON_FORM}).json()
    assert [each["id"] for each in body["data"]["structure"]["dimensions"]["series"]] == ["indicator", "area"]
    assert body["data"]["dataSets"][0]["series"] == {
        "0:0": {"attributes": [], "observations": {"0": [10.0, 0], "1": [11.5, 0], "2": [12.0, 0]}}
    }
    flat = client.get(
        f"{ROOT}/data/test_figures/DS01.01?dimensionAtObservation=AllDimensions&detail=dataonly", headers={"Accept": SPECIFIC_FORM}
    )
    assert dict(next(etree.fromstring(flat.content).iter("Obs")).attrib) == {
        "indicator": "DS01", "area": "01", "TIME_PERIOD": "2022", "OBS_VALUE": "10",
    }  # fmt: skip
    across = client.get(f"{ROOT}/data/test_figures/DS01.?dimensionAtObservation=area&startPeriod=2024")
    assert observations(across) == {("DS01", "2024", "01"): "12", ("DS01", "2024", "02"): "12"}
    for detail in ("serieskeysonly", "nodata"):
        root = etree.fromstring(client.get(f"{ROOT}/data/test_figures/all?detail={detail}").content)
        assert (len(list(root.iter(GENERIC + "Series"))), len(list(root.iter(GENERIC + "Obs")))) == (4, 0)


def test_rights_are_those_of_every_door(client: TestClient, province: Province) -> None:
    refused = client.get(f"{ROOT}/data/test_quarters/all")
    assert (refused.status_code, error_of(refused)) == (401, "110")
    assert refused.headers["www-authenticate"].startswith("Basic")
    stranger = client.get(f"{ROOT}/data/test_quarters/all", headers=asking("VN/GOV/H10.99/khac"))
    assert (stranger.status_code, error_of(stranger)) == (403, "150")
    assert client.get(f"{ROOT}/dataflow/all/test_quarters").status_code == 401
    given = observations(client.get(f"{ROOT}/data/test_quarters/all", headers=asking(READER)))
    assert set(given) == {(age, period) for age in ("20", "30") for period in ("2023", "2024-Q1", "2024-Q2")}
    entry = entries(province)[-1]
    assert (entry["event"], entry["dataset"], entry["details"]) == ("answer:page:given", "test.quarters", {"records": 6, "door": "sdmx"})
    codes = client.get(f"{ROOT}/codelist/all/CL_test_quarters_age", headers=asking(READER)).content
    assert [each.get("id") for each in etree.fromstring(codes).iter(STRUCTURE + "Code")] == ["20", "30"]


def test_periods_as_text_are_compared_as_periods(client: TestClient) -> None:
    asked = client.get(f"{ROOT}/data/test_quarters/20?startPeriod=2024-01&endPeriod=2024-06-30", headers=asking(READER))
    assert set(observations(asked)) == {("20", "2024-Q1"), ("20", "2024-Q2")}
    assert client.get(f"{ROOT}/data/test_quarters/20?startPeriod=2030", headers=asking(READER)).status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("data/test_figures/NOBODY.", 404, "100"), ("data/nobody", 404, "100"), ("data/test_areas", 404, "100"), ("data/X,test_figures", 404, "100"),
        ("data/LIENTHONG,test_figures,9.9", 404, "100"), ("data/test_figures/all/OTHER", 404, "100"), ("codelist/all/nobody", 404, "100"),
        ("nobody", 404, "100"), ("", 404, "100"), ("data", 404, "100"), ("data/test_figures/all/all/all", 404, "100"),
        ("data/test_figures/all?updatedAfter=2999-01-01T00:00:00Z", 404, "100"),
        ("data/test_figures/DS01", 422, "150"), ("data/test_figures/a.b.c.d", 422, "150"), ("data/test_figures/all?startPeriod=2024&endPeriod=2020", 422, "150"),
        ("data/test_figures/all?dimensionAtObservation=nobody", 422, "150"), ("data/test_figures/DS01.0'1", 400, "140"), ("data/test_figures/'; drop.x", 400, "140"),
        ("data/test_figures/all?startPeriod=yesterday", 400, "140"), ("data/test_figures/all?startPeriod=2024-13", 400, "140"),
        ("data/test_figures/all?startPeriod=2024-Q5", 400, "140"), ("data/test_figures/all?startPeriod=2024-W99", 400, "140"),
        ("data/test_figures/all?startPeriod=0000", 400, "140"), ("data/test_figures/all?startPeriod=2024-02-30", 400, "140"),
        ("data/test_figures/all?startPeriod=2024-D999", 400, "140"), ("data/test_figures/all?endPeriod=9999-12-31T99:00", 400, "140"),
        ("data/test_figures/all?firstNObservations=0", 400, "140"), ("data/test_figures/all?lastNObservations=-1", 400, "140"),
        ("data/test_figures/all?firstNObservations=99999999999", 400, "140"), ("data/test_figures/all?detail=everything", 400, "140"),
        ("data/test_figures/all?updatedAfter=x", 400, "140"), ("data/test_figures/all?nonsense=1", 400, "140"),
        ("data/test_figures/all?detail=full&detail=full", 400, "140"), ("data/test_figures/all?startPeriod=%00", 400, "140"),
        ("data/" + "+".join(["A"] * 600) + "/all", 404, "100"), ("data/test_figures/" + "+".join(["A"] * 600) + ".", 400, "140"),
        ("dataflow/all/all/all?references=nobody", 400, "140"), ("dataflow/..;/x", 400, "140"), ("dataflow/all/all/v1", 400, "140"),
        ("dataflow?detail=x", 400, "140"), ("dataflow/all/" + "x" * 600, 400, "140"), ("data/a,b,c,d", 400, "140"), ("data/%27", 400, "140"),
        ("availableconstraint/test_figures", 501, "501"), ("schema/dataflow/LIENTHONG/test_figures", 501, "501"), ("metadataflow", 501, "501"),
        ("codelist/all/CL_test_areas_code/latest/01", 501, "501"), ("data/test_figures/all?includeHistory=true", 501, "501"),
        ("dataflow?references=categorisation", 501, "501"), ("dataflow?detail=referencepartial", 501, "501"),
        ("data/test_figures/all?detail=serieskeysonly&dimensionAtObservation=AllDimensions", 501, "501"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_its_code(client: TestClient, path: str, status: int, code: str) -> None:
    answer = client.get(f"{ROOT}/{path}")
    assert (answer.status_code, error_of(answer)) == (status, code), answer.text


def test_forms_nobody_writes_are_406_and_nothing_is_written(client: TestClient) -> None:
    for accept in (
        "application/vnd.sdmx.data+json;version=2.0.0",
        "text/html",
        "application/vnd.sdmx.genericdata+xml;version=3.0",
        "*/*;q=0",
    ):
        assert client.get(f"{ROOT}/data/test_figures", headers={"Accept": accept}).status_code == 406
    both = {"Accept": f"{SPECIFIC_FORM};q=0.1, {JSON_FORM};q=0.9"}
    assert json.loads(client.get(f"{ROOT}/data/test_figures", headers=both).content)["errors"] == []
    answer = client.post(f"{ROOT}/data/test_figures")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("value", ["DS01", "PM2.5", "a$b", "Nam Định", "$24", "", "x+y", "😀"])
def test_any_value_is_a_code_and_comes_back(value: str) -> None:
    assert value_of(code_of(value)) == value
    assert "." not in code_of(value)
    assert "+" not in code_of(value)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2024", ("2024-01-01", "2024-12-31")), ("2024-A1", ("2024-01-01", "2024-12-31")), ("2024-S2", ("2024-07-01", "2024-12-31")),
        ("2024-T2", ("2024-05-01", "2024-08-31")), ("2024-Q1", ("2024-01-01", "2024-03-31")), ("2024-02", ("2024-02-01", "2024-02-29")),
        ("2024-M02", ("2024-02-01", "2024-02-29")), ("2020-W53", ("2020-12-28", "2021-01-03")), ("2024-D366", ("2024-12-31", "2024-12-31")),
        ("2024-05-06", ("2024-05-06", "2024-05-06")), ("2024-05-06T10:00:00", ("2024-05-06", "2024-05-06")), ("2023-D366", None), ("24", None),
        ("2024-Q0", None), ("2021-W53", None), ("９９９９", None),
    ],
)  # fmt: skip
def test_a_period_is_its_days(text: str, days: tuple[str, str] | None) -> None:
    found = span_of(text)
    assert (None if found is None else tuple(day.isoformat() for day in found)) == days


def test_the_contract_says_what_the_signs_do_not() -> None:
    properties = (
        make_property("khu_vuc", key_position=1), make_property("nam", "integer", key_position=2, statistic="time"),
        make_property("sai_so", "number"), make_property("so_luong", "integer", statistic="measure"),
    )  # fmt: skip
    flow = flow_of(make_contract(properties=properties, layer=Layer.AGGREGATE))
    assert flow is not None
    assert [component.id for component in flow.components] == ["khu_vuc", "TIME_PERIOD", "OBS_VALUE", "sai_so"]
    assert flow.measure.property.name == "so_luong"
    assert flow_of(make_contract(properties=properties, layer=Layer.AGGREGATE), ("nam", "so_luong")) is None
    assert flow_of(make_contract(properties=properties)) is None

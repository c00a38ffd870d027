"""A citizen sees every use of their own data and of nobody else's, in words, by the published rule, each with a proof that holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from lienthong.access import Operation, Register, SignedIn, Subsystem
from lienthong.clock import system_clock
from lienthong.contracts import Disclosure, MatchRole, Sensitivity
from lienthong.ledger.standalone import check_receipt, read_key
from lienthong.pipeline import Workshop, run_dataset
from lienthong.settings import Settings
from lienthong.sharing.ledger_writer import LedgerWriter
from lienthong.store.ledger_index import index_ledger
from lienthong.store.sequencing import Sequencer
from lienthong.web.app import create_app
from lienthong.web.services import make_services
from tests.conftest import fresh_database
from tests.factories import TickingClock, make_contract, make_property, make_workshop
from tests.web.counters import READER, URL, _desk, asking, make_agreement
from tests.web.signing_in import ISSUER, sign_in

AN, BINH = "070080000001", "070075000002"
PORTAL = "VN/GOV/H10.01/cong-dan"
PERSONAL = Sensitivity.PERSONAL
PEOPLE = make_contract(
    id="test.people",
    properties=(
        make_property("citizen_id", required=True, key_position=1, sensitivity=PERSONAL, standard="citizen_id"),
        make_property("full_name", sensitivity=PERSONAL),
    ),
)
BENEFITS = make_contract(
    id="test.benefits",
    properties=(
        make_property("benefit_no", required=True, key_position=1),
        make_property("citizen_id", sensitivity=PERSONAL, standard="citizen_id"),
        make_property("amount", "integer"),
    ),
    match=(MatchRole("person", attributes={"citizen_id": ("citizen_id",)}),),
    disclosure=Disclosure(
        delayed_purposes={"xac-minh": 30}, hidden_purposes=("dieu-tra",), shows_official=False, legal_basis="Luật An ninh mạng 116/2025"
    ),
)
OTHER = make_contract(id="test.offices", properties=(make_property("office_no", required=True, key_position=1),))
ALL = frozenset(Operation)
PURPOSES = {"xet-tro-cap": ("Xét trợ cấp", "Benefits"), "xac-minh": ("Xác minh", "Checking"), "dieu-tra": ("Điều tra", "Investigating")}


class Town:
    """Two registers about persons and one about offices, served in this process."""

    def __init__(self, url: str, folder: Path) -> None:
        (folder / "people.csv").write_text(f"citizen_id,full_name\n{AN},Nguyễn Thị An\n{BINH},Trần Văn Bình\n", "utf-8")
        (folder / "benefits.csv").write_text(f"benefit_no,citizen_id,amount\nB1,{AN},10\nB2,{BINH},20\nB3,{BINH},30\n", "utf-8")
        (folder / "offices.csv").write_text("office_no\nO1\n", "utf-8")
        contracts = [
            replace(contract, sources=(replace(contract.sources[0], location=str(folder / f"{contract.id.partition('.')[2]}.csv")),))
            for contract in (PEOPLE, BENEFITS, OTHER)
        ]
        self.workshop: Workshop = make_workshop(url, *contracts)
        for contract in contracts:
            run_dataset(self.workshop, contract)
        settings = Settings(
            home=folder / "home", agreements=folder / "none", base_url=URL, accept_synthetic_ids=True, checkpoint_milliseconds=0, worker=False,
            citizen_portals=PORTAL, data_protection="Tổ bảo vệ dữ liệu, Sở KH&CN, 0271 000 000",
        )  # fmt: skip
        services = make_services(settings, self.workshop.database, self.workshop.contracts)
        agreements = tuple(
            make_agreement(READER, id=f"TT-{contract.id}", dataset=contract.id, operations=ALL, purposes=PURPOSES) for contract in contracts
        )
        services.register = Register({READER: Subsystem(READER, "H10.12", "Hệ thống trợ cấp", "Benefits system", ())}, agreements)
        services.workshop, services.tokens = self.workshop, _desk(self.workshop.clock)
        services.ledger = LedgerWriter(services.store, self.workshop.signer)
        self.app = create_app(services)

    def settle(self) -> None:
        """Everything written has its place and can be found."""
        Sequencer(self.workshop.database, self.workshop.signer, system_clock).catch_up()
        index_ledger(self.workshop.database)


@pytest.fixture(scope="module")
def town(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with fresh_database(postgres_server) as url:
        yield Town(url, Path(tmp_path_factory.mktemp("town")))


@pytest.fixture(scope="module")
def server(town: Town) -> Iterator[TestClient]:
    with TestClient(town.app) as opened:
        yield opened


@pytest.fixture
def client(server: TestClient) -> TestClient:
    """The one client, signed out."""
    server.cookies.clear()
    return server


def ask(client: TestClient, path: str, **headers: str) -> None:
    answer = client.get(f"/v1/datasets/{path}", headers=asking(READER, **headers))
    assert answer.status_code == 200, answer.text


def mine(client: TestClient, number: str, **parameters: Any) -> list[dict[str, Any]]:
    sign_in(client, SignedIn(ISSUER, number, "Công dân mẫu", citizen=number))
    answer = client.get("/v1/me/uses", params=parameters)
    assert answer.status_code == 200, answer.text
    uses: list[dict[str, Any]] = answer.json()["uses"]
    return uses


@pytest.fixture(scope="module", autouse=True)
def asked(town: Town, server: TestClient) -> None:
    """What a day brings."""
    ask(server, f"test.people/records/{AN}")
    ask(server, f"test.people/records/{BINH}")
    ask(server, "test.benefits/records/B1")
    ask(server, "test.benefits/records/B1", **{"Lienthong-Purpose": "xac-minh"})
    ask(server, "test.benefits/records/B1", **{"Lienthong-Purpose": "dieu-tra"})
    ask(server, "test.benefits/records?amount.gte=20")
    ask(server, "test.people/records", Accept="text/csv")
    ask(server, f"test.people/records?citizen_id={BINH}", Accept="text/csv")
    ask(server, "test.people/changes")
    ask(server, "test.offices/records", Accept="text/csv")
    town.settle()


def test_every_use_of_ones_own_data_is_told_and_of_nobody_elses(client: TestClient) -> None:
    assert [(use["dataset"], use["kind"], use["certainty"]) for use in mine(client, AN)] == [
        ("test.people", "listed", "named"),
        ("test.people", "file", "possibly"),
        ("test.people", "file", "everybody"),
        ("test.benefits", "looked_up", "named"),
        ("test.people", "looked_up", "named"),
    ]
    assert [(use["dataset"], use["kind"]) for use in mine(client, BINH)] == [
        ("test.people", "listed"),
        ("test.people", "file"),
        ("test.people", "file"),
        ("test.benefits", "listed"),
        ("test.people", "looked_up"),
    ]
    assert len(mine(client, "070099000009", whole="false")) == 0


def test_a_line_says_in_plain_words_who_what_and_why(client: TestClient) -> None:
    use = mine(client, AN)[-1]
    assert use["words"] == "Hệ thống trợ cấp đã tra cứu citizen_id, full_name của bạn trong “Người”. Mục đích: Xét trợ cấp."
    assert use["words_en"] == "Benefits system looked up your citizen_id, full_name in “People”. Purpose: Benefits."
    assert (use["agency"], use["official"], use["legal_basis"]) == ("H10.12", "can-bo-01", "NĐ 278/2025")


def test_the_contracts_rule_delays_hides_and_masks_and_is_published(town: Town, client: TestClient) -> None:
    now = [use for use in mine(client, AN) if use["dataset"] == "test.benefits"]
    assert [(use["purpose"], use["official"]) for use in now] == [("xet-tro-cap", None)]
    clock = town.workshop.clock
    assert isinstance(clock, TickingClock)
    clock.now += timedelta(days=31)
    try:
        later = [use for use in mine(client, AN) if use["dataset"] == "test.benefits"]
    finally:
        clock.now -= timedelta(days=31)
    assert [use["purpose"] for use in later] == ["xac-minh", "xet-tro-cap"]
    rules = {rule["dataset"]: rule for rule in client.get("/v1/disclosure").json()["rules"]}
    assert set(rules) == {"test.people", "test.benefits"}
    assert "`xac-minh` sau 30 ngày" in rules["test.benefits"]["words"]
    assert rules["test.benefits"]["hidden_purposes"] == ["dieu-tra"]
    assert "không hiện: `dieu-tra`" in client.get("/v1/datasets/test.benefits").json()["disclosure"]


def test_citizens_are_told_who_answers_for_personal_data(client: TestClient) -> None:
    assert client.get("/v1/disclosure").json()["data_protection"] == "Tổ bảo vệ dữ liệu, Sở KH&CN, 0271 000 000"
    mine(client, AN)  # signs in
    assert "Tổ bảo vệ dữ liệu, Sở KH&amp;CN, 0271 000 000" in client.get("/my-data", headers={"Accept": "text/html"}).text


def test_each_line_has_a_proof_that_holds_without_the_platform(client: TestClient) -> None:
    key = read_key(client.get("/ledger/keys").text.splitlines()[0])
    for use in mine(client, AN):
        receipt = client.get(use["proof"]).json()
        hides_official = use["dataset"] == "test.benefits"
        entry = check_receipt(receipt, key)
        assert receipt["index"] == use["position"]
        assert entry == {} if hides_official else entry["dataset"] == use["dataset"]
    others = {use["position"] for use in mine(client, BINH)} - {use["position"] for use in mine(client, AN)}
    assert {client.get(f"/v1/me/uses/{position}/receipt").status_code for position in others} == {404}


def test_lines_come_in_pages_and_between_instants(client: TestClient) -> None:
    whole = mine(client, AN)
    pages: list[dict[str, Any]] = []
    before: dict[str, Any] = {}
    while True:
        answer = client.get("/v1/me/uses", params={"limit": 2, **before}).json()
        pages += answer["uses"]
        if answer["next"] is None:
            break
        before = {"before": answer["next"]}
    assert pages == whole
    assert mine(client, AN, **{"from": whole[1]["at"]}) == whole[:2]
    assert mine(client, AN, to=whole[1]["at"]) == whole[2:]
    for wrong in ({"limit": 0}, {"before": "-1"}, {"from": "x"}, {"whole": "maybe"}, {"of": "somebody"}):
        assert client.get("/v1/me/uses", params=wrong).status_code == 400


def test_nobody_sees_anything_without_being_a_citizen(client: TestClient) -> None:
    for path in ("/v1/me/uses", "/v1/me/uses/1/receipt", "/v3/findUsage"):
        assert client.get(path).status_code == 401
        assert client.get(path, headers=asking(READER)).status_code in (401, 403)


def test_a_portal_of_citizens_is_answered_in_the_trackers_shape_about_the_person_who_asks(client: TestClient) -> None:
    headers = asking(PORTAL, **{"X-Road-UserId": AN})
    found = client.get("/v3/findUsage", params={"userCode": AN}, headers=headers).json()
    assert (found["totalUsages"], found["returnedUsages"]) == (3, 3)
    usage = found["dataResponses"][0]
    assert usage["target"]["code"] == "H10.02"
    assert usage["initiatorOrg"]["code"] == "H10.12"
    assert usage["bulkProcessing"] is False
    bulk = client.get("/v3/findUsage", params={"includeBulkProcessing": "true", "limit": 2, "offset": 1}, headers=headers).json()
    assert (bulk["totalUsages"], bulk["returnedUsages"]) == (5, 2)
    assert client.get("/v3/findUsage", params={"userCode": BINH}, headers=headers).status_code == 403
    assert client.get("/v3/findUsage", headers=asking(PORTAL)).status_code == 400
    assert client.get("/v3/findUsage", headers=asking(READER, **{"X-Road-UserId": AN})).status_code == 403
    assert client.get("/v3/heartbeat").json()["status"] == "OK"

"""An agency's exchange, asking once, corrections decided; and a citizen whose correction reaches who keeps the record."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import openpyxl
import pytest

from lienthong.access import Role, SignedIn, State, read_agreement
from lienthong.clock import vietnam_date
from lienthong.pipeline import declaring, scoring, upload
from lienthong.sharing.workbook import XLSX
from lienthong.store.exchanges import Count, CountKey, save_counts
from lienthong.store.subsystems import KeptSubsystem, keep
from tests.store.ledgers import written
from tests.web.pages.conftest import AGENCY, Console
from tests.web.signing_in import ISSUER, register_person, sign_in

SYSTEM = f"VN/GOV/{AGENCY}/tro-cap"
NUMBER = "070000000001"
DATASET = "nguoi-co-cong.danh-sach"
CITIZEN, OTHER = (SignedIn(ISSUER, f"cd-{n}", "Công dân mẫu", citizen=n) for n in (NUMBER, "070000000999"))


@pytest.fixture(scope="module")
def registered(console: Console) -> Console:
    """A dataset of persons begun from a list, and a system of the agency."""
    rows = "\n".join(f"0700000000{n:02},Nguyễn Văn An,0{1 + n % 9}/03/1950" for n in range(1, 13))
    csrf = console.enter("can-bo-1")
    page = console.hand_in(csrf, f"Số CCCD,Họ và tên,Ngày sinh\n{rows}\n".encode(), "ds.csv", "Người có công").headers["location"]
    console.post(page, csrf, word="keep", id=DATASET)
    assert console.facts(page)["faults"] == []
    console.post(page, csrf, word="propose", reason="dùng chung")
    csrf = console.enter("can-bo-2")
    console.post(page, csrf, word="approve", digest=console.facts(page)["proposal"]["digest"])
    place = console.services.workshop
    upload.take_waiting(place, console.services.settings.home / upload.FOLDER)
    with place.database.connect() as connection:
        keep(connection, KeptSubsystem(SYSTEM, AGENCY, "Trợ cấp", "Benefits", True, "act"), "thu", datetime.now(UTC))
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        key = CountKey("day", hour, AGENCY, DATASET, "look_up", "api", "VN/GOV/H10.10/dat-dai", "dang-ky")
        save_counts(connection, [], {key: Count(calls=9, refused=2, latencies=[9])}, hour)
    return console


def test_an_agency_records_the_level_of_its_system_on_its_page(registered: Console) -> None:
    csrf, page = registered.enter("can-bo-1"), f"/console/subsystems/{AGENCY}/tro-cap"
    facts = registered.facts(page)
    assert [each["stage"] for each in facts["stages"]][:2] == ["registered", "security_level"]
    form = {
        "csrf": csrf,
        "level": "3",
        "decision": "7/QĐ",
        "approved_by": "Công an tỉnh",
        "approved_on": "2026-01-05",
        "valid_until": "2999-01-05",
    }
    sent = {"data": form, "files": {"file": ("Quyết định.pdf", b"%PDF")}, "headers": {"Accept": "text/html"}, "follow_redirects": False}
    answer = registered.client.post(page + "/level", **sent)
    assert (answer.status_code, answer.headers["location"]) == (303, page + "?recorded=level")
    level = registered.facts(page)["security_level"]
    assert (level["is_enough"], level["approved"]["file_name"], level["approved"]["has_file"]) == (True, "Quyết định.pdf", True)
    text = registered.client.get(page, headers={"Accept": "text/html"}).text
    assert "7/QĐ" in text
    odd = {**sent, "data": {**form, "level": "9"}}
    assert registered.client.post(page + "/level", **odd).status_code == 422
    assert registered.client.post(page + "/level", **{**sent, "data": {**form, "csrf": "x"}}).status_code == 403
    registered.enter("khac")
    assert registered.client.get(page + ".json").status_code == 404


def enter_as(console: Console, who: SignedIn) -> str:
    return sign_in(console.client, who)


def test_an_agency_sees_who_reads_it_its_systems_and_its_officials(registered: Console) -> None:
    registered.enter("can-bo-1")
    facts = registered.facts("/console/exchange")
    assert [(r["agency"], r["calls"], r["refused"]) for r in facts["reads"]] == [("H10.10", 9, 2)]
    assert [y["identifier"] for y in facts["subsystems"]] == [SYSTEM]
    assert {p["handle"] for p in facts["officials"]} == {"can-bo-1", "can-bo-2"}
    assert facts["subsystems"][0]["security_level"]["needed"] == 2
    registered.enter("khac")
    other = registered.facts("/console/exchange")
    assert other["reads"] == []
    assert {p["handle"] for p in other["officials"]} == {"khac"}


def test_an_officer_tells_of_a_direct_link_and_a_letter_and_the_operator_states(registered: Console) -> None:
    csrf, here = registered.enter("can-bo-1"), "/console/beside"
    link = {"side": "in", "other": "H10.10", "content": "Danh sách thửa đất", "since": "2026-01-05", "dataset": ""}
    letter = {
        "side": "in",
        "other": "H10.10",
        "content": "Xin danh sách",
        "document_no": "7/TB",
        "sent_on": "2026-01-06",
        "records": "12",
        "dataset": DATASET,
    }
    for path, form in (("links", {**link, "other": "Sở Y tế"}), ("links", {**link, "side": ""}), ("links", {**link, "since": "hôm qua"}), ("papers", {**letter, "records": "nhiều"})):  # fmt: skip
        assert registered.post(f"{here}/{path}", csrf, **form).status_code in (400, 422)
    assert registered.post(f"{here}/links", csrf, **link).status_code == 303
    assert registered.post(f"{here}/papers", csrf, **letter).headers["location"] == f"{here}?recorded=own", (
        "its own data needs nobody's letter"
    )
    facts = registered.facts(here)
    (told,), (paper,) = facts["links"], facts["papers"]
    assert (told["state"], told["acts"], paper["avoidable"], facts["avoidable_records"]) == ("reported", ["end"], True, 12)
    page = registered.client.get(here, headers={"Accept": "text/html"}).text
    assert "Danh sách thửa đất" in page
    assert "lẽ ra không cần" in page
    operator = register_person(registered.services.workshop.database, "van-hanh", "H10.00", [Role.OPERATOR])
    csrf = sign_in(registered.client, operator, second_factor="totp")
    assert registered.facts(here)["links"][0]["acts"] == ["state", "decline", "end"]
    said = {
        "word": "state",
        "step": str(told["step"]),
        "ground": "not_enough",
        "reason": "Tốc độ",
        "document_no": "3/SKHCN",
        "dated_on": "2026-01-07",
        "until": vietnam_date(datetime.now(UTC)).isoformat(),
    }
    path = f"{here}/links/{told['link']}"
    assert registered.post(path, csrf, **{**said, "word": "burn"}).status_code == 422
    assert [registered.post(path, csrf, **said).status_code for _ in range(2)] == [303, 409], (
        "the second saw a step that is no longer the newest"
    )
    assert "3/SKHCN" in registered.client.get(here, headers={"Accept": "text/html"}).text
    csrf = registered.enter("khac")
    assert [each["link"] for each in registered.facts(here)["links"]] == [told["link"]], "the other side sees it too"
    assert registered.post(f"{here}/papers/{paper['request']}", csrf, reason="không phải").status_code == 404
    csrf = registered.enter("can-bo-1")
    assert registered.post(f"{here}/papers/{paper['request']}", csrf, reason="nhầm").status_code == 303
    assert registered.facts(here)["papers"] == []


def test_an_officer_announces_a_stop_that_everybody_is_told_and_takes_it_back(registered: Console) -> None:
    csrf, here, told_at = registered.enter("can-bo-1"), f"/console/datasets/{DATASET}", {"Accept": "text/html"}
    day = registered.facts(here)["earliest_stop"]
    planned = {"begins_at": f"{day}T18:00", "ends_at": f"{day}T22:00", "reason": "nâng cấp máy chủ"}
    for wrong in ({"begins_at": "mai"}, {"begins_at": "2020-01-01T08:00"}, {"ends_at": f"{day}T17:00"}, {"reason": ""}):
        assert registered.post(f"{here}/stops", csrf, **{**planned, **wrong}).status_code == 422
    assert registered.post(f"{here}/stops", csrf, **planned).headers["location"] == f"{here}?said=stop_told"
    stop = registered.facts(here)["stops"][0]
    assert (stop["begins_at"], stop["is_under_way"], stop["is_forced"]) == (f"{day}T11:00:00Z", False, False)
    status = registered.facts("/status")
    assert [(each["of"], each["is_under_way"]) for each in status["planned_stops"]] == [(DATASET, False)]
    assert "nâng cấp máy chủ" in registered.client.get(f"/datasets/{DATASET}", headers=told_at).text
    stranger = registered.enter("khac")
    assert registered.post(f"{here}/stops/{stop['stop']}", stranger, reason="thôi").status_code == 403
    csrf = registered.enter("can-bo-1")
    assert registered.post(f"{here}/stops/{stop['stop']}", csrf, reason="thôi").headers["location"] == f"{here}?said=stop_taken_back"
    assert registered.post(f"{here}/stops/{stop['stop']}", csrf, reason="thôi").status_code == 422
    assert registered.facts("/status")["planned_stops"] == []
    assert "nâng cấp máy chủ" not in registered.client.get(f"/datasets/{DATASET}", headers=told_at).text


def test_a_refused_form_leads_back_to_where_it_was_typed(registered: Console) -> None:
    csrf, here = registered.enter("can-bo-1"), f"/console/datasets/{DATASET}"

    def refused(referer: str) -> str:
        form, headers = {"csrf": csrf, "begins_at": "mai"}, {"Accept": "text/html", "Referer": referer}
        return str(registered.client.post(f"{here}/stops", data=form, headers=headers).text)

    page = refused(f"http://testserver{here}?a=1")
    assert f'href="{here}?a=1">Quay lại trang trước' in page
    assert 'href="/sign-in/me"' in page
    for elsewhere in ("http://khac.example/console", "http://testserver//khac.example", "javascript:alert(1)", ""):
        assert "Quay lại trang trước" not in refused(elsewhere)


def test_who_may_not_come_in_is_told_what_to_do_about_it(registered: Console) -> None:
    here, html = f"/console/datasets/{DATASET}", {"Accept": "text/html"}
    registered.enter("khac")
    page = registered.client.get(here, headers=html).text
    assert "Mỗi cơ quan chỉ mở được trang của mình" in page
    assert "Thử lại sau ít phút" not in page
    assert 'href="/sign-in/me">Nơi làm việc của tôi' in page
    registered.client.cookies.clear()
    page = registered.client.get(here, headers=html).text
    assert "phiên đã hết hạn" in page
    assert f'href="/sign-in?next={here}">Đăng nhập' in page


def test_a_dataset_scored_once_shows_its_score_in_figures(registered: Console) -> None:
    registered.enter("can-bo-1")
    page = registered.client.get(f"/console/datasets/{DATASET}", headers={"Accept": "text/html"}).text
    assert "datetime" not in page.replace("datetime-local", "")


def test_who_asks_learns_what_is_held_already_and_files_the_request(registered: Console) -> None:
    csrf = registered.enter("can-bo-1")
    facts = registered.client.get("/console/asking.json", params={"fields": "Mã số thuế\nGiống lợn\n"}).json()
    assert facts["not_held"] == ["Giống lợn"]
    assert registered.facts("/console")["owed"] == {"explanations": 0, "corrections": 0, "agreements": 0}
    best = next(d for d in facts["datasets"] if d["id"] == "enterprises.register")
    form = {
        "dataset": best["id"],
        "consumer": SYSTEM,
        "purpose": "xac-minh",
        "words": "Xác minh doanh nghiệp",
        **{f"field:{name}": "yes" for name in best["columns"]},
    }
    for wrong in ({"purpose": "Có Dấu"}, {"words": ""}, {"operation": "delete"}):
        assert registered.post("/console/asking", csrf, **{**form, **wrong}).status_code == 422
    assert registered.post("/console/asking", csrf, **{**form, "consumer": "VN/GOV/H10.10/dat-dai"}).status_code == 403
    asked = registered.post("/console/asking", csrf, **form)
    assert asked.status_code == 303, asked.text
    mine = registered.facts("/console/exchange")["agreements_in"]
    assert [(a["dataset"], a["consumer"]) for a in mine] == [("enterprises.register", SYSTEM)]
    assert mine[0]["id"] in asked.headers["location"]


def test_an_agreement_is_led_through_its_life_on_its_page_by_whom_each_act_belongs_to(registered: Console) -> None:
    document = {
        "id": "TT-900", "provider": AGENCY, "consumer": "VN/GOV/H10.10/dat-dai", "dataset": DATASET, "state": "active", "fields": "all", "operations": ["look_up"],
        "purposes": {"xac-minh": {"vi": "Xác minh", "en": "Verify"}}, "legal_basis": "Luật Dữ liệu 60/2024/QH15", "term": {"from": "2026-01-01", "to": "2099-12-31"},
    }  # fmt: skip
    faults: list[tuple[str, str, str]] = []
    agreement = read_agreement(document, "TT-900", faults, State.ACTIVE)
    assert agreement is not None, faults
    declaring.take_over(registered.services.workshop, [agreement])
    page = "/console/agreements/TT-900"

    def offered() -> list[str]:
        return [each["act"] for each in registered.facts(page)["acts"]]

    def do(csrf: str, act: str, **said: str) -> int:
        status: int = registered.post(f"{page}/acts", csrf, act=act, step=str(registered.facts(page)["step"]), **said).status_code
        return status

    owner = registered.enter("can-bo-1")
    assert offered() == ["suspend", "demand_usage", "end"]
    assert do(owner, "suspend", reason="") == 422
    assert do(owner, "nothing", reason="x") == 400
    assert do(owner, "report_usage", reason="việc của bên kia") == 403
    assert do(owner, "suspend", reason="Kiểm tra an toàn") == 303
    assert offered() == ["resume", "demand_usage", "end"]
    assert registered.post(f"{page}/acts", owner, act="resume", step="0", reason="bước cũ").status_code == 409
    assert do(owner, "resume", reason="Đã kiểm tra xong") == 303
    assert do(owner, "demand_usage", reason="Báo cáo quý") == 303
    reader = registered.enter("khac")
    assert offered() == ["report_usage", "end"]
    assert do(reader, "report_usage", reason="Đối chiếu 12 hồ sơ đất") == 303
    assert do(reader, "end", reason="Không còn cần") == 422
    assert do(reader, "end", reason="Không còn cần", copies="destroyed") == 303
    assert offered() == ["report_usage", "confirm_destruction"]
    assert do(reader, "confirm_destruction", reason="Đã hủy, biên bản số 12") == 303
    assert offered() == ["report_usage"]
    assert do(reader, "confirm_destruction", reason="Lần nữa") == 409
    acts = [step["act"] for step in registered.facts(page)["steps"]]
    assert acts[-6:] == ["suspend", "resume", "demand_usage", "report_usage", "end", "confirm_destruction"]
    html = registered.client.get(page, headers={"Accept": "text/html"}).text
    assert "Xác nhận đã xử lý bản sao" in html


def test_a_request_is_taken_back_by_who_made_it(registered: Console) -> None:
    csrf = registered.enter("can-bo-1")
    (asked,) = registered.facts("/console/exchange")["agreements_in"]
    page = f"/console/agreements/{asked['id']}"
    facts = registered.facts(page)
    assert (facts["state"], [(each["act"], each["needs"]) for each in facts["acts"]]) == ("granted", [("end", ["reason"])])
    assert "Rút yêu cầu" in registered.client.get(page, headers={"Accept": "text/html"}).text
    said = {"act": "end", "step": str(facts["step"]), "reason": "Đã có nguồn khác"}
    assert registered.post(f"{page}/acts", csrf, **said).status_code == 303
    ended = registered.facts(page)
    assert (ended["state"], ended["copies"]) == ("ended", None)
    assert "confirm_destruction" not in [each["act"] for each in ended["acts"]], "nobody has copies of what was never in force"


def test_a_citizens_correction_reaches_the_owner_with_a_clock_and_comes_back(registered: Console) -> None:
    csrf = enter_as(registered, CITIZEN)
    assert [d["id"] for d in registered.facts("/my-data/requests")["datasets"]] == [DATASET]
    form = {"dataset": DATASET, "field": "full_name", "value": "Nguyễn Văn Ân", "words": "Giấy khai sinh ghi là Ân"}
    assert registered.post("/my-data/requests", "made up", **form).status_code == 403
    assert registered.post("/my-data/requests", csrf, **{**form, "field": "none"}).status_code == 422
    assert registered.post("/my-data/requests", csrf, **{**form, "dataset": "land.holders"}).status_code == 404
    assert registered.post("/my-data/requests", csrf, **form).status_code == 303
    [request] = registered.facts("/my-data/requests")["requests"]
    assert (request["kind"], request["state"], [p["state"] for p in request["proposals"]]) == ("correction", "open", ["open"])
    assert request["act_by"] > request["opened_at"]
    enter_as(registered, OTHER)
    assert registered.facts("/my-data/requests")["requests"] == []
    registered.enter("khac")
    assert registered.facts("/console/corrections")["proposals"] == []
    csrf = registered.enter("can-bo-1")
    [open_one] = registered.facts("/console/corrections")["proposals"]
    assert open_one["from_citizen"]
    assert [(v["name"], v["stands"], v["proposed"]) for v in open_one["values"]] == [("full_name", "Nguyễn Văn An", "Nguyễn Văn Ân")]
    page = f"/console/corrections/{open_one['proposal']}"
    assert registered.post(page, csrf, word="refuse", version="1").status_code == 422
    assert registered.post(page, csrf, word="accept", version=str(open_one["version"]), words="đã đối chiếu").status_code == 303
    enter_as(registered, CITIZEN)
    [request] = registered.facts("/my-data/requests")["requests"]
    assert [(p["state"], p["words"]) for p in request["proposals"]] == [("accepted", "đã đối chiếu")]
    assert request["state"] == "done", "what was corrected waits no longer"
    with registered.services.workshop.database.connect() as connection:
        row = connection.execute("select full_name from data.nguoi_co_cong_danh_sach where _key = %s", (NUMBER,)).fetchone()
    assert row == ("Nguyễn Văn Ân",)
    assert NUMBER not in str(written(registered.services.workshop.database))


@pytest.mark.parametrize(("word", "becomes"), [("accept", "done"), ("refuse", "answered")])
def test_a_request_moves_on_as_well_where_the_correction_is_decided_over_the_api(registered: Console, word: str, becomes: str) -> None:
    csrf = enter_as(registered, CITIZEN)
    form = {"dataset": DATASET, "field": "full_name", "value": f"Nguyễn Văn {word}", "words": "Giấy khai sinh"}
    assert registered.post("/my-data/requests", csrf, **form).status_code == 303
    [request] = [r for r in registered.facts("/my-data/requests")["requests"] if r["state"] == "open"]
    csrf = registered.enter("can-bo-1")
    [waiting] = registered.facts("/console/corrections")["proposals"]
    said = {"reason": "đã xem giấy tờ", **({"version": waiting["version"]} if word == "accept" else {})}
    answer = registered.client.post(f"/v1/proposals/{waiting['proposal']}/{word}", json=said, headers={"Lienthong-CSRF": csrf})
    assert answer.status_code == 200, answer.text
    enter_as(registered, CITIZEN)
    found = {r["case"]: r for r in registered.facts("/my-data/requests")["requests"]}
    assert found[request["case"]]["state"] == becomes


@pytest.mark.parametrize(
    "path", ["/console/exchange", "/console/asking?fields=CCCD", "/console/corrections", "/console/drafts", "/my-data/requests"]
)
def test_each_page_is_a_page_and_its_data(path: str, registered: Console) -> None:
    if path.startswith("/my-data"):
        enter_as(registered, CITIZEN)
    else:
        registered.enter("can-bo-1")
    page = registered.client.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 200, page.text
    assert len(re.findall("<h1>", page.text)) == 1
    plain, _, query = path.partition("?")
    assert registered.client.get(f"{plain}.csv?{query}").content.startswith(b"\xef\xbb\xbf")
    registered.client.cookies.clear()
    refused = registered.client.get(path, headers={"Accept": "text/html"})
    assert refused.status_code == 401
    assert "/sign-in" in refused.text


def test_a_row_is_read_as_it_was_delivered_and_its_person_sees_the_look(registered: Console) -> None:
    csrf, page = registered.enter("can-bo-1"), f"/console/datasets/{DATASET}"
    [field] = [key["name"] for key in registered.facts(page)["key"]]
    of = f"key:{field}"
    found = registered.post(f"{page}/landed", csrf, **{of: " 070000000002 "})
    assert found.status_code == 303, found.text
    address = found.headers["location"]
    assert "070000000002" not in address
    facts = registered.facts(address)
    cells = {cell["column"]: cell for cell in facts["cells"]}
    assert (cells["Ngày sinh"]["came"], cells["Số CCCD"]["came"]) == ("03/03/1950", "070000000002")
    assert facts["source_row"] == 3
    assert [state["is_this"] for state in facts["states"]] == [True]
    shown = registered.client.get(address, headers={"Accept": "text/html"})
    assert shown.status_code == 200, shown.text
    assert registered.post(f"{page}/landed", csrf, **{of: "070000000888"}).status_code == 404
    assert registered.post(f"{page}/landed", csrf, **{of: "mười hai"}).status_code == 422
    assert registered.post(f"{page}/landed", "made up", **{of: NUMBER}).status_code == 403
    assert registered.client.get(f"{page}/landed/1/999999.json").status_code == 404
    looks = [entry for entry in written(registered.services.workshop.database) if entry["event"] == "landing:row:read"]
    assert [look["outcome"] for look in looks] == ["given", "given", "missing"]
    assert all(look["subject"] and look["official"] for look in looks)
    assert "070000000002" not in str(looks)
    registered.enter("khac")
    assert registered.client.get(f"{address}.json").status_code == 403
    assert registered.post(f"{page}/landed", csrf, **{of: NUMBER}).status_code == 403


def test_dead_letters_of_others_are_not_replayed(registered: Console) -> None:
    csrf = registered.enter("can-bo-1")
    answer = registered.post("/console/subscriptions/khong-co/replay", csrf)
    assert answer.status_code == 404


def test_waiting_rows_are_fixed_by_a_rule_and_mended_in_a_workbook(registered: Console) -> None:
    csrf, place = registered.enter("can-bo-1"), registered.services.workshop
    rows = "\n".join(f"0700000000{n},Trần Văn Ba,{'không rõ' if n < 63 else '32/01/1950'}" for n in (61, 62, 63))
    files = {"file": ("them.csv", f"Số CCCD,Họ và tên,Ngày sinh\n{rows}\n".encode(), "text/csv")}
    registered.client.post(f"/console/datasets/{DATASET}/uploads", data={"csrf": csrf, "whole": "no"}, files=files)
    upload.take_waiting(place, registered.services.settings.home / upload.FOLDER)
    page = f"/console/datasets/{DATASET}/fix"
    column, code, _ = registered.client.get(f"{page}.csv").text.splitlines()[1].removeprefix("\ufeff").split(",")
    chosen = {"issue": f"{column} {code}", "equals": "không rõ", "pattern": "", "how": "put", "put": "01/05/1950"}
    preview = registered.post(page, csrf, **chosen)
    assert "2 hàng sẽ được sửa" in preview.text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', preview.text)
    assert digest is not None
    assert registered.post(page, csrf, **chosen, digest=digest[1]).headers["location"].endswith("through=2&waiting=0")
    assert registered.post(page, csrf, **chosen, digest=digest[1]).status_code == 409
    book = openpyxl.load_workbook(io.BytesIO(registered.client.get(f"/console/datasets/{DATASET}/marked.xlsx").content))
    columns = {cell.value: cell.column for cell in book.active[1]}
    book.active.cell(2, columns["Ngày sinh"], "31/01/1950")
    out = io.BytesIO()
    book.save(out)
    send = {"data": {"csrf": csrf}, "files": {"file": ("sua.xlsx", out.getvalue(), XLSX)}}
    answer = registered.client.post(f"/console/datasets/{DATASET}/mended", **send)
    assert answer.headers["content-type"] == XLSX
    assert any("Đã qua" in str(cell.value) for cell in openpyxl.load_workbook(io.BytesIO(answer.content)).active[2])
    assert registered.client.post(f"/console/datasets/{DATASET}/mended", **{**send, "data": {"csrf": "x"}}).status_code == 403
    registered.enter("khac")
    assert registered.client.get(page).status_code == 403


def test_a_row_tried_in_vain_still_waits_on_the_page_of_its_file(registered: Console) -> None:
    csrf, place = registered.enter("can-bo-1"), registered.services.workshop
    content = "Số CCCD,Họ và tên,Ngày sinh\n070000000071,Lê Thị Năm,32/01/1950\n070000000072,Lê Văn Sáu,01/01/1950\n".encode()
    form, file = {"csrf": csrf, "whole": "no"}, {"file": ("sau.csv", content, "text/csv")}
    sent = registered.client.post(f"/console/datasets/{DATASET}/uploads", data=form, files=file, follow_redirects=False)
    upload.take_waiting(place, registered.services.settings.home / upload.FOLDER)
    page = sent.headers["location"]
    (row,) = registered.facts(page)["rows_to_mend"]
    (cell,) = [each["column"] for each in row["cells"] if each["faults"]]
    for typed in ("33/01/1950", ""):
        tried = {f"cell:{cell}": typed} if typed else {}
        answer = registered.post(f"/console/datasets/{DATASET}/quarantine/{row['item']}", csrf, upload=page.rpartition("/")[2], **tried)
        assert answer.headers["location"] == f"{page}?still={row['item']}"
        facts = registered.facts(page)
        assert (facts["waiting"], [each["item"] for each in facts["rows_to_mend"]]) == (1, [row["item"]])
        assert "Tất cả các hàng đều đúng" not in registered.client.get(page, headers={"Accept": "text/html"}).text
    tried = {f"cell:{cell}": "31/01/1950", "upload": page.rpartition("/")[2]}
    assert (
        registered.post(f"/console/datasets/{DATASET}/quarantine/{row['item']}", csrf, **tried)
        .headers["location"]
        .endswith(f"?mended={row['item']}")
    )
    assert registered.facts(page)["waiting"] == 0


def test_a_dataset_scored_more_than_once_shows_its_dimensions_over_time(registered: Console) -> None:
    csrf, place = registered.enter("can-bo-1"), registered.services.workshop
    for n in (81, 82, 83):
        files = {"file": ("them.csv", f"Số CCCD,Họ và tên,Ngày sinh\n0700000000{n},Lê Thị Tư,01/05/1950\n".encode(), "text/csv")}
        registered.client.post(f"/console/datasets/{DATASET}/uploads", data={"csrf": csrf, "whole": "no"}, files=files)
        upload.take_waiting(place, registered.services.settings.home / upload.FOLDER)
        scoring.profile_new(place)
    page = registered.client.get(f"/console/datasets/{DATASET}", headers={"Accept": "text/html"})
    assert page.status_code == 200, page.text
    assert len(registered.facts(f"/console/datasets/{DATASET}")["scores"]) == 3
    assert {"Đầy đủ", "Đúng dạng"} <= set(re.findall("Đầy đủ|Đúng dạng", page.text))

"""Each of the ten lessons, done by a script in a real browser as a learner would, and seen by the platform. One sandbox, one browser."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import httpx
import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from lienthong.pipeline.training import read_lessons
from lienthong.store.embedded import EmbeddedServer
from tests.browser.province import Watched, context_of, follow, watched
from tests.browser.sandbox import Sandbox, sandbox_served
from tests.browser.test_every_page import look_at
from tests.browser.test_stories import until_done
from tests.conftest import fresh_database, open_folder
from tests.patience import until

pytestmark = pytest.mark.timeout(900)
LESSONS = list(read_lessons())
PAGES = (
    "/training",
    "/training/nop-tep",
    "/training/certificate",
    "/training/handbook",
    "/datasets/population.persons/try",
    "/console/agreements",
)
RIGHT = {"date": "07/03/1995", "text": "Nguyễn Văn Mẫu"}


@pytest.fixture(scope="module")
def place(postgres_server: EmbeddedServer) -> Iterator[Sandbox]:
    with open_folder() as home, fresh_database(postgres_server) as url, sandbox_served(url, home) as served:
        yield served


@pytest.fixture(scope="module")
def learner(browser: Browser, place: Sandbox) -> Iterator[Watched]:
    """Somebody who has entered the room by a name and an agency."""
    context = context_of(browser)
    page = watched(context, place.base)
    enter(page.page, place)
    yield page
    assert [fault for fault in page.faults() if "403" not in fault] == []  # one refusal is looked at on purpose
    context.close()


def enter(page: Page, place: Sandbox, name: str = "Trần Thị Học Viên") -> None:
    page.goto(place.base + "/training")
    page.get_by_label("Họ và tên").fill(name)
    page.get_by_label("Cơ quan").fill("Sở Thực hành")
    follow(page, page.get_by_role("button", name="Vào phòng thực hành"))


def begin(page: Page, place: Sandbox, lesson: str) -> None:
    page.goto(f"{place.base}/training/{lesson}")
    follow(page, page.get_by_role("button", name=re.compile("Bắt đầu bài này|Làm lại từ đầu")))


def check(page: Page, place: Sandbox, lesson: str, *answers: str) -> None:
    """Back to the lesson, answers typed in their order, checked: it must be complete."""
    page.goto(f"{place.base}/training/{lesson}")
    fields = page.locator(".lesson-steps input[type=text], .lesson-steps select")
    for n, answer in enumerate(answers):
        field = fields.nth(n)
        if field.evaluate("each => each.tagName") == "SELECT":
            field.select_option(answer)
        else:
            field.fill(answer)
    if page.get_by_text("Bạn đã hoàn thành bài này").count() == 0:
        follow(page, page.get_by_role("button", name="Kiểm tra"))
    expect(page.get_by_text("Bạn đã hoàn thành bài này")).to_be_visible()


def practice_book(page: Page, place: Sandbox, lesson: str) -> bytes:
    return page.request.get(f"{place.base}/training/{lesson}/practice.xlsx").body()


def hand_in(page: Page, place: Sandbox, dataset: str, name: str, content: bytes) -> None:
    page.goto(f"{place.base}/console/datasets/{dataset}#hand-in")
    page.set_input_files("#file", {"name": name, "mimeType": "application/octet-stream", "buffer": content})
    page.get_by_role("button", name="Nộp", exact=True).click()
    expect(page.locator("#upload .notice strong")).to_have_text(re.compile("hàng cần sửa|đều đúng"))


def mend(page: Page) -> None:
    """The first waiting row: every wrong cell gets a value that can be."""
    row = page.locator(".fix").first
    for cell in row.locator("input.wrong").all():
        name = cell.get_attribute("name") or ""
        cell.fill(right_for(name, cell.input_value()))
    row.get_by_role("button", name="Gửi lại hàng này").click()


def right_for(heading: str, wrong: str) -> str:
    if "31/02" in wrong or "Ngày" in heading:
        return RIGHT["date"]
    if wrong.endswith("?"):
        return wrong[:-1].replace("-", " ")
    if "giấy tờ" in heading:
        return ""
    return "ZA 123456" if "chứng nhận" in heading.lower() or heading.endswith("Số") else RIGHT["text"]


def test_a_file_is_handed_in_and_its_verdict_read(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    begin(page, place, "nop-tep")
    hand_in(page, place, "land.holders", "thuc-hanh.xlsx", practice_book(page, place, "nop-tep"))
    waiting = re.search(r"(\d+) hàng cần sửa", page.locator("#upload").inner_text())
    assert waiting is not None
    page.goto(f"{place.base}/training/nop-tep")
    expect(page.get_by_text("Chưa thấy")).to_have_count(1)  # the question is all that is left
    page.get_by_role("textbox").fill("999")
    follow(page, page.get_by_role("button", name="Kiểm tra"))
    expect(page.get_by_text("Chưa đúng")).to_be_visible()
    check(page, place, "nop-tep", waiting[1])


def test_rows_are_mended_in_the_grid(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    begin(page, place, "sua-tai-cho")
    for _ in range(2):
        page.goto(f"{place.base}/console/datasets/land.holders/quarantine")
        mend(page)
        expect(page.get_by_text("Đã sửa xong một hàng")).to_be_visible()
    check(page, place, "sua-tai-cho")


def test_the_marked_workbook_is_mended_and_handed_in_again_without_a_script(browser: Browser, place: Sandbox) -> None:
    context = context_of(browser, script=False)
    page = context.new_page()
    enter(page, place, "Lê Văn Không Tập Lệnh")
    begin(page, place, "so-danh-dau")
    page.goto(f"{place.base}/console/datasets/land.holders")
    page.set_input_files("#file", {"name": "a.xlsx", "mimeType": "x/y", "buffer": practice_book(page, place, "so-danh-dau")})
    follow(page, page.get_by_role("button", name="Nộp", exact=True))
    until_done(page)
    book = openpyxl.load_workbook(io.BytesIO(page.request.get(page.url.partition("?")[0] + "/marked.xlsx").body()))
    sheet = book.active
    assert sheet is not None
    for row in sheet.iter_rows(min_row=2):
        for cell in row:
            if cell.comment is not None:
                cell.value = right_for(str(sheet.cell(1, cell.column).value), str(cell.value or "")) or None
    out = io.BytesIO()
    book.save(out)
    page.goto(f"{place.base}/console/datasets/land.holders")
    page.set_input_files("#file", {"name": "sua.xlsx", "mimeType": "x/y", "buffer": out.getvalue()})
    follow(page, page.get_by_role("button", name="Nộp", exact=True))
    until_done(page)
    check(page, place, "so-danh-dau")
    context.close()


def test_three_pairs_are_decided_by_keys_alone(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    begin(page, place, "ba-cap")
    page.goto(f"{place.base}/desk/person")
    for key in ("2", "3", "2"):
        page.wait_for_selector("form.verdicts")
        with page.expect_navigation():
            page.keyboard.press(key)
    check(page, place, "ba-cap")


def test_a_decision_is_undone(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    begin(page, place, "hoan-tac")
    page.goto(f"{place.base}/desk/person")
    with page.expect_navigation():
        page.keyboard.press("2")
    with page.expect_navigation():
        page.keyboard.press("z")
    check(page, place, "hoan-tac")


def test_a_golden_record_tells_where_a_value_comes_from(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    begin(page, place, "ban-ghi-goc")
    follow(page, page.get_by_role("link", name="Mở bản ghi gốc"))
    facts = page.request.get(page.url.partition("?")[0] + ".json").json()
    source = next(value["source"] for value in facts["values"] if value["name"] == "full_name")
    check(page, place, "ban-ghi-goc", source.partition("#")[0])


def test_a_request_is_refused_on_a_legal_ground(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    begin(page, place, "tra-loi-yeu-cau")
    page.get_by_role("link", name="Mở yêu cầu").click()
    expect(page.get_by_text("Trả lời trước hết ngày")).to_be_visible()
    page.get_by_label("Lý do").fill("Mục đích chưa rõ")
    page.get_by_label("Văn bản, điều khoản pháp luật").fill("Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15")
    page.get_by_role("button", name="Từ chối").click()
    expect(page.locator(".tags .tag.bad")).to_have_text("Đã từ chối")
    check(page, place, "tra-loi-yeu-cau")


def test_the_first_call_is_answered_listed_and_refused(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    begin(page, place, "loi-goi-dau-tien")
    page.get_by_role("link", name="Mở trang gọi thử").click()
    page.get_by_role("button", name="Gửi").click()
    expect(page.locator("#answer")).to_contain_text('"values"')
    expect(page.locator("details pre").first).to_contain_text("Lienthong-Purpose")
    follow(page, page.get_by_role("link", name="Danh sách", exact=True))
    page.get_by_label("Tình trạng cư trú").select_option("permanent")
    page.get_by_role("button", name="Gửi").click()
    expect(page.locator("#answer")).to_contain_text('"records"')
    page.goto(f"{place.base}/training/loi-goi-dau-tien")
    page.get_by_role("link", name="Gọi sai mục đích").click()
    expect(page.locator("#answer")).to_contain_text('"rule"')
    rule = re.search(r'"rule": "(\w+)"', page.locator("#answer").inner_text())
    assert rule is not None
    check(page, place, "loi-goi-dau-tien", rule[1])


def test_a_citizen_reads_who_looked_and_the_receipt_is_checked(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    begin(page, place, "ai-da-xem")
    page.get_by_role("link", name="Tra cứu hồ sơ").click()
    expect(page.locator("#answer")).to_contain_text('"values"')

    def listed() -> int:
        page.goto(place.base + "/my-data")
        return page.locator(".results li").count()

    until(listed, "the entry's place in the ledger", between=0.2)
    proof = page.locator(".results li").first.get_by_role("link").last.get_attribute("href")
    assert proof is not None
    told = page.request.get(place.base + proof).json()
    check(page, place, "ai-da-xem", str(told["index"]))


def test_a_number_is_read_and_its_owner_asked(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    begin(page, place, "con-so")
    page.get_by_role("link", name="Mở chỉ tiêu").click()
    told = page.request.get(f"{place.base}/board/population.json").json()
    page.locator("form[action$='/questions'] textarea").fill("Vì sao số này khác báo cáo quý trước?")
    page.locator("form[action$='/questions'] button").click()
    expect(page.get_by_text("Vì sao số này khác báo cáo quý trước?")).to_be_visible()
    check(page, place, "con-so", str(round(told["figure"]["total"])), place.workshop.contracts["population.persons"].agency)


def test_the_papers_tell_what_was_seen(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    page.goto(place.base + "/training/certificate")
    facts = page.request.get(place.base + "/training/certificate.json").json()
    assert {lesson["id"] for lesson in facts["lessons"]} == set(LESSONS) - {"so-danh-dau"}
    assert all(lesson["evidence"] for lesson in facts["lessons"])
    bodies = evidence_of(place)
    assert {digest for lesson in facts["lessons"] for digest in lesson["evidence"]} <= bodies
    assert httpx.get(place.base + "/training/handbook.pdf").content.startswith(b"%PDF")


def evidence_of(place: Sandbox) -> set[str]:
    import hashlib  # beside its one use

    with place.workshop.database.connect() as connection:
        lines = connection.execute("select string_to_table(bodies, e'\\n') from ledger_batches").fetchall()
    return {hashlib.sha256(line.encode()).hexdigest() for (line,) in lines}


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_readable_by_everybody_and_say_that_this_is_practice(path: str, learner: Watched, place: Sandbox, whole: bool) -> None:
    page = learner.page
    page.goto(place.base + path)
    assert page.locator("h1").count() == 1
    assert page.get_by_text("VÙNG THỰC HÀNH", exact=True).is_visible()
    look_at(page, PAGES.index(path), whole=whole)


def test_the_helper_bar_leads_back_to_the_lesson(learner: Watched, place: Sandbox) -> None:
    page = learner.page
    begin(page, place, "nop-tep")
    page.goto(place.base + "/console")
    page.get_by_role("link", name="Xem bước tiếp theo").click()
    expect(page).to_have_url(f"{place.base}/training/nop-tep")


def test_one_click_puts_everything_back_and_keeps_what_was_learnt(learner: Watched, place: Sandbox) -> None:
    """The last test of the room: two have practised, so that it is a trainer's to do."""
    page = learner.page
    page.goto(place.base + "/training")
    answer = page.request.get(place.base + "/training/class", headers={"Accept": "application/json"})
    assert answer.json()["rule"] == "no_trainer"
    follow(page, page.get_by_role("button", name="Đặt lại vùng thực hành"))
    expect(page.get_by_text("class_at_work")).to_be_visible()
    with place.workshop.database.connect() as connection:  # half an hour later
        connection.execute("update training_starts set started_at = started_at - interval '1 hour'")
    page.goto(place.base + "/training")
    follow(page, page.get_by_role("button", name="Đặt lại vùng thực hành"))
    expect(page.get_by_text("Đã đặt lại")).to_be_visible()
    assert page.request.get(place.base + "/training.json").json()["done"] == len(LESSONS) - 1
    with place.workshop.database.connect() as connection:
        acts = connection.execute("select count(*) from match_acts where kind = 'decision'").fetchone()
        uploads = connection.execute("select count(*) from uploads").fetchone()
    assert acts == (0,)
    assert uploads == (0,)

"""What people come to do, done as they would: with a mouse, by keyboard alone, without a script."""

from __future__ import annotations

import io
import re
import unicodedata

import httpx
import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.province import Province, context_of, follow, watched

pytestmark = pytest.mark.timeout(900)
AGENCIES = "agencies.register"
HEAD = "ma,ten,loai,ten_tat,ma_huyen,ma_cap_tren,tinh_trang_ma,co_quan_ke_thua,tu_ngay,den_ngay"


def agencies_file(*rows: str) -> bytes:
    return "\n".join([HEAD, *rows, ""]).encode()


def test_a_citizen_finds_looks_and_takes(browser: Browser, province: Province) -> None:
    context = context_of(browser)
    page = watched(context, province.base).open("/")
    page.page.get_by_role("searchbox").fill("quan trac moi truong")
    page.page.keyboard.press("Enter")
    page.page.get_by_role("link", name="Quan trắc môi trường", exact=True).click()
    page.page.get_by_role("link", name="Xem bên trong").click()
    expect(page.page.locator("tbody tr").first).to_be_visible()
    with page.page.expect_download() as taken:
        page.page.get_by_role("link", name="Excel").click()
    assert taken.value.suggested_filename.endswith(".xlsx")
    assert page.faults() == []
    context.close()


def test_search_answers_while_typing_and_the_address_follows(browser: Browser, province: Province) -> None:
    context = context_of(browser)
    page = watched(context, province.base).open("/datasets")
    page.page.get_by_role("searchbox").press_sequentially("dan cu")
    expect(page.page.locator("#found .results h3").first).to_have_text("Dân cư")
    expect(page.page).to_have_url(f"{province.base}/datasets?q=dan+cu")
    assert page.page.evaluate("document.activeElement.id") == "q"
    assert page.faults() == []
    context.close()


def test_words_in_nfd_without_marks_and_with_find_the_same(province: Province) -> None:
    asked = ["môi trường", unicodedata.normalize("NFD", "môi trường"), "moi truong", "MÔI TRƯỜNG"]
    found = [httpx.get(f"{province.base}/datasets.json", params={"q": words}).json()["entries"] for words in asked]
    assert len({tuple(sorted(each["id"] for each in datasets)) for datasets in found}) == 1


def test_an_old_name_leads_to_the_new_unit(browser: Browser, province: Province) -> None:
    context = context_of(browser, script=False)
    page = context.new_page()
    page.goto(f"{province.base}/datasets?q=Phường+Tiến+Thành")
    page.get_by_role("link", name="Phường Đồng Xoài").first.click()
    expect(page.locator("h1")).to_contain_text(re.compile("^Phường Đồng Xoài"))
    context.close()


def test_a_question_with_a_place_in_it_finds_the_data_and_the_place(province: Province) -> None:
    asked = {"q": "hộ nghèo phường Bình Phước"}
    found = httpx.get(f"{province.base}/datasets.json", params=asked).raise_for_status().json()
    assert "poor-households.members" in {entry["id"] for entry in found["entries"]}
    assert {"25195"} <= {each["unit"]["code"] for each in found["units"]}
    alone = httpx.get(f"{province.base}/datasets.json", params={"q": "phường Bình Phước"}).raise_for_status().json()
    assert alone["units"]
    assert (alone["count"], [values for values in alone["facets"].values() if values]) == (0, [])


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet", "json"])
def test_open_data_is_taken_whole_in_each_form(suffix: str, province: Province) -> None:
    records = httpx.get(f"{province.base}/datasets/statistics.indicators.json").json()["records"]
    answer = httpx.get(f"{province.base}/datasets/statistics.indicators/download/{suffix}").raise_for_status()
    if suffix == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content), read_only=True).active
        assert sheet is not None
        assert sum(1 for _ in sheet.iter_rows()) == records + 1
    elif suffix == "csv":
        assert len(answer.text.splitlines()) == records + 1
    elif suffix == "json":
        assert len(answer.json()) == records
    else:
        assert answer.content[:4] == b"PAR1"


def test_an_officer_hands_a_file_in_and_mends_it_in_place(browser: Browser, province: Province) -> None:
    context = context_of(browser, province.officer(AGENCIES))
    page = watched(context, province.base).open(f"/console/datasets/{AGENCIES}")
    rows = ["H10.77,Trung tâm mẫu,board,,,,,,2026-01-01,", "H10.78,Ban mẫu,không rõ,,,,,,2026-01-01,"]
    page.page.set_input_files("#file", {"name": "Cơ quan mới.csv", "mimeType": "text/csv", "buffer": agencies_file(*rows)})
    page.page.get_by_role("button", name="Nộp", exact=True).click()
    expect(page.page.get_by_text("1 hàng cần sửa")).to_be_visible()
    expect(page.page.locator("h1")).to_have_text("Tệp Cơ quan mới.csv")
    wrong = page.page.locator("input.wrong")
    expect(wrong).to_have_value("không rõ")
    wrong.fill("board")
    page.page.get_by_role("button", name="Gửi lại hàng này").click()
    expect(page.page.get_by_text("Đã sửa xong một hàng")).to_be_visible()
    assert page.faults() == []
    found = httpx.get(f"{province.base}/v1/datasets/{AGENCIES}/records", params={"agency_code.in": "H10.77,H10.78"}).json()
    assert len(found["records"]) == 2
    context.close()


def test_without_a_script_a_file_is_handed_in_marked_mended_and_handed_in_again(browser: Browser, province: Province) -> None:
    context = context_of(browser, province.officer(AGENCIES), script=False)
    page = context.new_page()
    page.goto(f"{province.base}/console/datasets/{AGENCIES}")
    page.set_input_files("#file", {"name": "a.csv", "mimeType": "text/csv", "buffer": agencies_file("H10.79,Ban ba,sai,,,,,,2026-01-01,")})
    follow(page, page.get_by_role("button", name="Nộp", exact=True))
    until_done(page)
    marked = page.request.get(page.url.partition("?")[0] + "/marked.xlsx").body()
    book = openpyxl.load_workbook(io.BytesIO(marked))
    sheet = book.active
    assert sheet is not None
    heads = [cell.value for cell in sheet[1]]
    cell = sheet.cell(2, heads.index("loai") + 1)
    assert cell.comment is not None
    assert cell.fill.bgColor.rgb or cell.fill.fgColor.rgb
    cell.value = "board"
    out = io.BytesIO()
    book.save(out)
    page.goto(f"{province.base}/console/datasets/{AGENCIES}")
    page.set_input_files("#file", {"name": "sua.xlsx", "mimeType": "application/octet-stream", "buffer": out.getvalue()})
    follow(page, page.get_by_role("button", name="Nộp", exact=True))
    until_done(page)
    expect(page.get_by_text("Tất cả các hàng đều đúng")).to_be_visible()
    page.goto(f"{province.base}/console/datasets/{AGENCIES}/quarantine")
    assert page.get_by_text("H10.79").count() == 0
    context.close()


def until_done(page: Page) -> None:
    """What a person without a script does: look again until it is through."""
    again = page.get_by_role("link", name="Xem lại tiến độ")
    for _ in range(1200):
        if again.count() == 0:
            return
        page.wait_for_timeout(100)
        follow(page, again)
    raise AssertionError("the file is still being read")


def test_a_steward_decides_and_takes_back_by_keys_alone(browser: Browser, province: Province) -> None:
    context = context_of(browser, province.steward())
    page = watched(context, province.base).open("/desk/person")
    page.page.keyboard.press("2")
    expect(page.page.get_by_role("status")).to_contain_text("không phải là một")
    page.page.keyboard.press("z")
    expect(page.page.get_by_role("status")).to_contain_text("Đã rút lại")
    expect(page.page.locator(".pair")).to_have_count(1)
    assert page.faults() == []
    context.close()


def test_the_first_tab_skips_to_the_content(browser: Browser, province: Province) -> None:
    context = context_of(browser)
    page = watched(context, province.base).open("/status")
    page.page.keyboard.press("Tab")
    expect(page.page.locator(".skip")).to_be_focused()
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#main")).to_be_focused()
    context.close()


def test_another_agencys_source_is_not_shown(browser: Browser, province: Province) -> None:
    context = context_of(browser, province.officer(AGENCIES))
    page = context.new_page()
    answer = page.goto(f"{province.base}/console/datasets/land.holders")
    assert answer is not None
    assert answer.status == 403
    expect(page.get_by_text("other_agency")).to_be_visible()
    context.close()


def test_who_has_not_signed_in_is_led_to_sign_in(browser: Browser, province: Province) -> None:
    context = context_of(browser)
    page = context.new_page()
    for path in ("/console", "/desk"):
        answer = page.goto(province.base + path)
        assert answer is not None
        assert answer.status == 401
        assert page.locator("main").get_by_role("link", name="Đăng nhập").get_attribute("href") == f"/sign-in?next={path}"
    context.close()


def test_a_form_of_another_page_changes_nothing(browser: Browser, province: Province) -> None:
    cookie = province.steward()
    jar = {str(cookie["name"]): str(cookie["value"])}
    for path, form in (("/desk/person/decisions", {"item": "1", "verdict": "same"}), ("/desk/person/acts/1/undo", {"reason": "x"})):
        answer = httpx.post(province.base + path, data={**form, "csrf": "made up"}, cookies=jar, headers={"Accept": "application/json"})
        assert answer.status_code == 403
        assert answer.json()["rule"] == "forged"
    files = {"file": ("a.csv", b"x", "text/csv")}
    officer = province.officer(AGENCIES)
    answer = httpx.post(
        f"{province.base}/console/datasets/{AGENCIES}/uploads", data={"csrf": "made up"}, files=files, cookies={str(officer["name"]): str(officer["value"])},
        headers={"Accept": "application/json"},
    )  # fmt: skip
    assert answer.json()["rule"] == "forged"


def test_a_band_of_the_map_is_reached_and_followed_by_keyboard(browser: Browser, province: Province) -> None:
    context = context_of(browser, province.operator())
    page = watched(context, province.base).open("/operator")
    page.page.locator("#map svg a[href*='from=H10.12&to=H10.10']").focus()
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#pair")).to_be_visible()
    expect(page.page.get_by_role("row").filter(has_text="land.holders").first).to_be_visible()
    assert page.faults() == []
    context.close()


def test_without_a_script_a_spreadsheet_is_proposed_changed_and_proposed_for_publication(browser: Browser, province: Province) -> None:
    context = context_of(browser, province.officer("land.holders"), script=False)
    page = context.new_page()
    page.goto(f"{province.base}/console/drafts")
    rows = "\n".join(f"T{n:03},Trạm số {n},{n}" for n in range(30))
    page.get_by_label("Tên bộ dữ liệu").fill("Trạm quan trắc nước dưới đất tự động liên tục của tỉnh và các huyện, thị xã")
    page.set_input_files("#file", {"name": "trạm.csv", "mimeType": "text/csv", "buffer": f"Mã trạm,Tên trạm,Độ sâu\n{rows}\n".encode()})
    follow(page, page.get_by_role("button", name="Đọc tệp và đề xuất"))
    expect(page.get_by_text("Bản thảo đã là một hợp đồng đúng")).to_be_visible()
    page.get_by_label("Tên máy").nth(1).fill("station_name")
    follow(page, page.get_by_role("button", name="Lưu thay đổi"))
    expect(page.get_by_label("Tên máy").nth(1)).to_have_value("station_name")
    page.get_by_label("Ánh xạ (biểu thức)").nth(1).fill('upper(join(" ", [Mã trạm], [Tên trạm]))')
    follow(page, page.get_by_role("button", name="Lưu thay đổi"))
    expect(page.get_by_role("cell", name="T000 TRẠM SỐ 0")).to_be_visible()
    with page.expect_download() as preview:
        page.get_by_role("link", name="Tải xem trước").click()
    assert preview.value.suggested_filename.endswith("-xem-truoc.xlsx")
    page.get_by_label("Lý do").fill("đưa vào dùng chung")
    page.get_by_role("button", name="Đề xuất công bố").click()
    expect(page.get_by_text("Cần người thứ hai của cơ quan duyệt")).to_be_visible()
    context.close()


def test_a_citizen_goes_from_who_looked_to_asking_for_a_correction(browser: Browser, province: Province) -> None:
    context = context_of(browser, province.citizen("070000000003"))
    page = watched(context, province.base).open("/my-data")
    page.page.get_by_role("link", name="Yêu cầu sửa dữ liệu của tôi").click()
    expect(page.page.get_by_role("heading", level=1)).to_have_text("Yêu cầu sửa dữ liệu của tôi")
    assert page.faults() == []
    context.close()

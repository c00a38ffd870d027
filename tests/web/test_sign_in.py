"""People sign in at a provider that is another process, give a second factor, grant each other roles; and what is forged gets nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest

from lienthong.access import SignedIn
from lienthong.pipeline import granting
from lienthong.settings import Settings
from lienthong.store import Database
from lienthong.web.services import make_workshop
from lienthong.web.sign_in import HOME, local
from tests.conftest import fresh_database
from tests.store.ledgers import written
from tests.web.providing import CITIZEN_NUMBER, PASSWORD, SECRET, running, write_accounts
from tests.web.served import _free_port


@dataclass(frozen=True)
class Two:
    """The platform, and the provider its people sign in at."""

    base: str
    issuer: str
    database: Database
    home: Path


@pytest.fixture(scope="module")
def two(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    home = Path(tmp_path_factory.mktemp("two"))
    here, there = _free_port(), _free_port()
    accounts = write_accounts(home / "accounts.yaml", f"http://127.0.0.1:{here}/sign-in/callback", "http://127.0.0.1:9/khac")
    issuer = f"http://127.0.0.1:{there}/oidc"
    with (
        fresh_database(postgres_server) as url,
        fresh_database(postgres_server) as other,
        running(other, home / "there", there, oidc_accounts=str(accounts)),
        running(url, home / "here", here, oidc_issuer=issuer, oidc_client_secret=SECRET) as base,
    ):
        settings = Settings(home=home / "here", datasets=home / "here" / "datasets")
        workshop = make_workshop(settings, Database(url), {})
        for name in ("van-hanh-1", "van-hanh-2", "kiem-tra", "dau-moi", "khoa-thu"):
            granting.register_person(workshop, granting.terminal("test"), name, SignedIn(issuer, name, f"Người mẫu {name}"), "H10.11")
        for name in ("van-hanh-1", "van-hanh-2"):
            granting.grant_first_operator(workshop, name, "test")
        yield Two(base, issuer, Database(url), home)


class Browser:
    """A browser without a script: it follows forms and redirects, and keeps cookies of each server apart."""

    def __init__(self, two: Two) -> None:
        self.two = two
        self.http = httpx.Client(base_url=two.base, follow_redirects=False)
        self.there = httpx.Client(follow_redirects=False)

    def field(self, page: str, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', page)
        assert found is not None, name
        return unescape(found[1])

    def to_provider(self, then: str = "/sign-in/me") -> httpx.Response:
        begun = self.http.get("/sign-in", params={"next": then})
        assert begun.status_code == 303
        return self.there.get(begun.headers["location"])

    def try_password(self, page: httpx.Response, username: str, password: str = PASSWORD) -> httpx.Response:
        form = {"request": self.field(page.text, "request"), "username": username, "password": password}
        return self.there.post(self.two.issuer + "/authorize", data=form)

    def sign_in(self, username: str, then: str = "/sign-in/me") -> httpx.Response:
        back = self.try_password(self.to_provider(then), username)
        assert back.status_code == 303, back.text
        return self.http.get(back.headers["location"])

    def me(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get("/v1/me").json()
        return found

    def add_totp(self) -> tuple[str, list[str]]:
        page = self.http.get("/sign-in/factors/totp").text
        secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
        assert secret is not None
        form = {name: self.field(page, name) for name in ("csrf", "sealed", "next")} | {"code": pyotp.TOTP(secret[1]).now()}
        kept = self.http.post("/sign-in/factors/totp", data=form)
        assert kept.status_code == 200, kept.text
        return secret[1], re.findall(r"<li><code>([A-Z2-7-]{19})</code>", kept.text)

    def give(self, code: str) -> httpx.Response:
        page = self.http.get("/sign-in/second-factor").text
        return self.http.post("/sign-in/second-factor", data={"csrf": self.field(page, "csrf"), "next": "/", "code": code})

    def post(self, path: str, document: Any = None) -> httpx.Response:
        return self.http.post(path, json=document, headers={"Lienthong-CSRF": self.me()["csrf"]})


@pytest.fixture
def browser(two: Two) -> Browser:
    return Browser(two)


@pytest.fixture(scope="module")
def operators(two: Two) -> list[Browser]:
    """Both operators, signed in with their second factor."""
    found = []
    for name in ("van-hanh-1", "van-hanh-2"):
        each = Browser(two)
        each.sign_in(name)
        each.add_totp()
        found.append(each)
    return found


def last(two: Two, event: str) -> dict[str, Any]:
    return next(entry for entry in reversed(written(two.database)) if entry["event"] == event)


def test_who_has_signed_in_is_led_to_the_rooms_of_their_roles(browser: Browser, operators: list[Browser]) -> None:
    browser.sign_in("cong-dan")
    for reader, rooms in ((browser, ["/my-data"]), (operators[0], ["/operator"])):
        led = re.findall(r'class="button(?: plain)?" href="([^"]+)"', reader.http.get("/sign-in/me").text)
        assert led == [*rooms, "/datasets", "/training"]


def test_a_citizen_signs_in_and_is_nobody_else(browser: Browser, two: Two) -> None:
    answer = browser.sign_in("cong-dan", "/docs?a=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/docs?a=1")
    cookie = next(value for name, value in answer.headers.multi_items() if name == "set-cookie" and value.startswith("lienthong="))
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert browser.me()["roles"] == ["citizen"]
    assert CITIZEN_NUMBER not in str(written(two.database))


def test_the_pages_need_no_script_and_let_nothing_in(browser: Browser) -> None:
    page = browser.to_provider()
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert f"form-action 'self' {browser.two.base}" in policy
    assert "<script" not in page.text
    assert 'lang="vi"' in page.text
    assert page.text.count("<label for=") == 2


def test_an_operator_is_one_after_the_second_factor(two: Two, operators: list[Browser]) -> None:
    fresh = Browser(two)
    answer = fresh.sign_in("van-hanh-1")
    assert answer.headers["location"].startswith("/sign-in/second-factor")
    found = fresh.me()
    assert (found["roles"], found["waits_for_second_factor"]) == ([], True)
    assert fresh.http.get("/v1/people").json()["rule"] == "no_second_factor"
    assert operators[0].me()["roles"] == ["operator"]


def test_a_role_needs_two_operators_and_counts_at_once(two: Two, operators: list[Browser]) -> None:
    first, second = operators
    officer = Browser(two)
    officer.sign_in("dau-moi")
    proposed = first.post("/v1/people/dau-moi/roles", {"role": "data_officer", "reason": "Quyết định phân công số 12"}).json()
    number, digest = proposed["proposal"], proposed["digest"]
    refused = first.post(f"/v1/approvals/{number}/approve", {"digest": digest})
    assert (refused.status_code, refused.json()["rule"]) == (403, "second_person")
    assert officer.post(f"/v1/approvals/{number}/approve", {"digest": digest}).status_code == 404
    assert second.post(f"/v1/approvals/{number}/approve", {"digest": "0" * 64}).status_code == 409
    assert officer.me()["roles"] == []
    assert second.post(f"/v1/approvals/{number}/approve", {"digest": digest}).json()["state"] == "approved"
    assert officer.me()["roles"] == ["data_officer"]
    assert second.post(f"/v1/approvals/{number}/approve", {"digest": digest}).status_code == 409
    entry = last(two, "person:role:granted")
    assert (entry["official"], entry["details"]["proposed_by"], entry["details"]["handle"]) == ("van-hanh-2", "van-hanh-1", "dau-moi")
    assert first.post("/v1/people/dau-moi/roles/data_officer/withdraw").status_code == 200
    assert officer.me()["roles"] == []


def test_nobody_decides_on_a_role_of_their_own(operators: list[Browser]) -> None:
    first, second = operators
    proposed = first.post("/v1/people/van-hanh-2/roles", {"role": "leader", "reason": "x"}).json()
    answer = second.post(f"/v1/approvals/{proposed['proposal']}/approve", {"digest": proposed["digest"]})
    assert (answer.status_code, answer.json()["rule"]) == (403, "own_role")
    assert second.http.get(f"/v1/approvals/{proposed['proposal']}").json()["state"] == "waiting"  # nothing half done


def test_a_refusal_has_its_reason_and_a_proposal_can_be_taken_back(operators: list[Browser]) -> None:
    first, second = operators
    one, other = (first.post("/v1/people/kiem-tra/roles", {"role": "auditor", "reason": "x"}).json()["proposal"] for _ in range(2))
    assert second.post(f"/v1/approvals/{one}/refuse", {"reason": " "}).status_code == 422
    assert second.post(f"/v1/approvals/{one}/refuse", {"reason": "Chưa có quyết định"}).json()["words"] == "Chưa có quyết định"
    assert second.post(f"/v1/approvals/{other}/withdraw").status_code == 403
    assert first.post(f"/v1/approvals/{other}/withdraw").json()["state"] == "withdrawn"


def test_a_third_operator_is_not_made_at_the_terminal(two: Two) -> None:
    workshop = make_workshop(Settings(home=two.home / "here"), two.database, {})
    with pytest.raises(Exception, match="two operators"):
        granting.grant_first_operator(workshop, "kiem-tra", "test")


def test_a_change_by_cookie_alone_is_refused(operators: list[Browser]) -> None:
    answer = operators[0].http.post("/v1/people/dau-moi/end")
    assert (answer.status_code, answer.json()["rule"]) == (403, "forged")
    assert operators[0].http.post("/sign-out", data={"where": "everywhere"}).status_code == 403


def test_a_code_works_once_and_a_recovery_code_too(two: Two, browser: Browser) -> None:
    browser.sign_in("kiem-tra")
    secret, codes = browser.add_totp()
    assert len(set(codes)) == 10
    with two.database.connect() as connection:
        sealed = connection.execute("select sealed from lienthong.second_factors").fetchall()
    assert not [row for row in sealed if secret.encode() in row[0]]
    again = Browser(two)
    again.sign_in("kiem-tra")
    assert again.give(pyotp.TOTP(secret).now()).status_code == 401  # the code that added the app was used by it
    assert again.give(codes[0]).status_code == 303
    assert again.me()["second_factor"]
    third = Browser(two)
    third.sign_in("kiem-tra")
    assert third.give(codes[0].lower()).status_code == 401
    assert third.give(codes[1].lower().replace("-", " ")).status_code == 303


def test_who_has_a_factor_cannot_add_one_without_giving_it(two: Two, operators: list[Browser]) -> None:
    fresh = Browser(two)
    fresh.sign_in("van-hanh-1")
    assert fresh.http.get("/sign-in/factors/totp").json()["rule"] == "no_second_factor"


def test_too_many_wrong_codes_lock_the_factor_even_for_the_right_one(two: Two, browser: Browser) -> None:
    browser.sign_in("khoa-thu")
    _, codes = browser.add_totp()
    fresh = Browser(two)
    fresh.sign_in("khoa-thu")
    assert [fresh.give("000000").status_code for _ in range(6)] == [401] * 5 + [403]
    assert fresh.give(codes[0]).status_code == 403
    assert last(two, "person:factor:refused")["official"] == "khoa-thu"


def test_a_wrong_password_and_an_unknown_name_are_told_alike(browser: Browser) -> None:
    wrong = browser.try_password(browser.to_provider(), "dau-moi", "sai")
    unknown = browser.try_password(browser.to_provider(), "khong-co", "sai")
    plain = [re.sub(r'value="[^"]*"', "", each.text) for each in (wrong, unknown)]
    assert wrong.status_code == unknown.status_code == 401
    assert plain[0] == plain[1]


def test_an_unknown_name_takes_the_work_of_a_wrong_password(tmp_path: Path) -> None:
    from lienthong.web.accounts import Accounts

    accounts = Accounts.read(write_accounts(tmp_path / "a.yaml", "http://127.0.0.1:9/"))
    spent: dict[str, list[float]] = {"dau-moi": [], "khong-co": []}
    for _ in range(9):
        for name, taken in spent.items():
            begun = process_time()
            assert accounts.check(name, "sai") is None
            taken.append(process_time() - begun)
    known, unknown = median(spent["dau-moi"]), median(spent["khong-co"])
    assert unknown > known / 5  # without the work it would be a thousandth


def test_an_account_tried_too_often_is_locked_in_the_same_words(two: Two) -> None:
    page = Browser(two).to_provider
    tried = [Browser(two) for _ in range(6)]
    answers = [each.try_password(each.to_provider(), "khoa-thu", "sai") for each in tried[:5]]
    right = tried[5].try_password(tried[5].to_provider(), "khoa-thu")
    assert page is not None
    assert right.status_code == 401
    assert re.sub(r'value="[^"]*"', "", right.text) == re.sub(r'value="[^"]*"', "", answers[0].text)


@pytest.mark.parametrize(
    "sent",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x=1", "/\t/evil.example", "evil", ""],
)  # fmt: skip
def test_signing_in_leads_nowhere_but_here(sent: str) -> None:
    assert local(sent) == HOME


def test_a_path_of_ours_is_kept() -> None:
    assert local("/v1/datasets?limit=3&a=%2F") == "/v1/datasets?limit=3&a=%2F"


def test_anothers_answer_signs_nobody_in(two: Two, browser: Browser) -> None:
    """Login CSRF: the attacker's own code, brought to the victim's browser."""
    attacker = Browser(two)
    back = attacker.try_password(attacker.to_provider(), "dau-moi").headers["location"]
    browser.to_provider()
    assert browser.http.get(back).status_code == 401
    assert browser.http.get("/v1/me").status_code == 401
    assert Browser(two).http.get(back).status_code == 401
    assert last(two, "person:session:refused")["outcome"] == "refused"


def test_a_cookie_planted_beforehand_is_worth_nothing(two: Two, browser: Browser) -> None:
    browser.http.cookies.set("lienthong", "planted-by-the-attacker")
    browser.sign_in("cong-dan")
    own = {cookie.value for cookie in browser.http.cookies.jar if cookie.name == "lienthong"}
    assert "planted-by-the-attacker" not in own or len(own) > 1
    assert httpx.get(two.base + "/v1/me", headers={"Cookie": "lienthong=planted-by-the-attacker"}).status_code == 401


def test_the_second_factor_gives_a_new_cookie_and_ends_the_old(two: Two) -> None:
    fresh = Browser(two)
    fresh.sign_in("dau-moi")
    before = fresh.http.cookies["lienthong"]
    fresh.add_totp()
    assert fresh.http.cookies["lienthong"] != before
    assert httpx.get(two.base + "/v1/me", headers={"Cookie": f"lienthong={before}"}).status_code == 401


# The provider, as an outside client meets it


def challenge() -> tuple[str, str]:
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    verifier = "v" * 64
    return verifier, create_s256_code_challenge(verifier)


def asked(two: Two, **changed: str) -> dict[str, str]:
    found = {
        "client_id": "lienthong", "redirect_uri": "http://127.0.0.1:9/khac", "response_type": "code", "scope": "openid profile", "state": "s",
        "nonce": "n", "code_challenge": challenge()[1], "code_challenge_method": "S256",
    }  # fmt: skip
    return found | changed


def code_of(two: Two) -> str:
    browser = Browser(two)
    page = browser.there.get(two.issuer + "/authorize", params=asked(two))
    back = browser.try_password(page, "dau-moi").headers["location"]
    assert back.startswith("http://127.0.0.1:9/khac?")
    return parse_qs(urlsplit(back).query)["code"][0]


def exchange(two: Two, code: str, **changed: str) -> httpx.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://127.0.0.1:9/khac", "code_verifier": challenge()[0]}
    return httpx.post(two.issuer + "/token", data=form | changed, auth=("lienthong", changed.pop("secret", SECRET)))


@pytest.mark.parametrize(
    "changed", [{"client_id": "khac"}, {"redirect_uri": "http://evil.example/"}, {"redirect_uri": "http://127.0.0.1:9/khac/.."}]
)
def test_the_provider_sends_nobody_to_an_address_it_does_not_know(two: Two, changed: dict[str, str]) -> None:
    answer = httpx.get(two.issuer + "/authorize", params=asked(two, **changed))
    assert (answer.status_code, "location" in answer.headers) == (400, False)


@pytest.mark.parametrize(
    "changed", [{"code_challenge_method": "plain"}, {"code_challenge": ""}, {"response_type": "token"}, {"scope": "profile"}, {"prompt": "none"}]
)  # fmt: skip
def test_the_provider_wants_the_code_flow_with_pkce(two: Two, changed: dict[str, str]) -> None:
    answer = httpx.get(two.issuer + "/authorize", params=asked(two, **changed))
    found = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (answer.status_code, found["state"], found["iss"]) == (303, ["s"], [two.issuer])
    assert found["error"][0]


def test_a_code_is_good_once_for_its_client_and_verifier(two: Two) -> None:
    code = code_of(two)
    assert exchange(two, code).status_code == 200
    assert exchange(two, code).json() == {"error": "invalid_grant"}
    assert exchange(two, code_of(two), code_verifier="w" * 64).json() == {"error": "invalid_grant"}
    assert exchange(two, code_of(two), redirect_uri="http://127.0.0.1:9/").json() == {"error": "invalid_grant"}
    assert exchange(two, code_of(two), secret="sai").status_code == 401


def test_userinfo_takes_its_own_tokens_only(two: Two) -> None:
    tokens = exchange(two, code_of(two)).json()
    address = two.issuer + "/userinfo"
    assert httpx.get(address, headers={"Authorization": f"Bearer {tokens['access_token']}"}).json()["sub"] == "dau-moi"
    for sent in (tokens["id_token"], "a.b.c", "x"):
        assert httpx.get(address, headers={"Authorization": f"Bearer {sent}"}).status_code == 401


def test_a_form_of_another_browser_or_another_time_is_refused(two: Two) -> None:
    page = Browser(two).to_provider()
    assert Browser(two).try_password(page, "dau-moi").status_code == 400


def test_where_no_provider_is_set_nobody_signs_in(two: Two) -> None:
    there = two.issuer.removesuffix("/oidc")
    assert httpx.get(there + "/sign-in").status_code == 404
    assert httpx.get(two.base + "/oidc/.well-known/openid-configuration").status_code == 404

"""One reader's request: in which language, in which light, as a page or as its data, and who reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request

from lienthong.access import Session
from lienthong.errors import BadRequest
from lienthong.web.pages.speaking import ENGLISH, LANGUAGES, VIETNAMESE, Speech, nfc

HTML, JSON, CSV = "text/html", "application/json", "text/csv"
FORMS = {"json": JSON, "csv": CSV}
LANGUAGE_COOKIE, THEME_COOKIE = "lienthong_language", "lienthong_theme"
THEMES = ("auto", "light", "dark")
LONGEST_TEXT = 300
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Visit:
    """`form` is html, json or csv. `session` is None for somebody who has not signed in."""

    request: Request
    speech: Speech
    form: str = "html"
    theme: str = "auto"
    session: Session | None = None
    is_sample: bool = False
    cookies: Mapping[str, str] = field(default_factory=dict)  # what the reader chose now, to be kept

    @property
    def path(self) -> Mapping[str, Any]:
        return self.request.path_params

    def text(self, name: str, otherwise: str = "") -> str:
        """A parameter of the address in NFC. Raises BadRequest for one that is too long or holds what no one types."""
        value = nfc(self.request.query_params.get(name, otherwise)).strip()
        if len(value) > LONGEST_TEXT or not all(sign.isprintable() or sign in "\n\r\t" for sign in value):
            raise BadRequest(
                f"`{name}`: expected at most {LONGEST_TEXT} printed characters.", vi=f"`{name}`: nhiều nhất {LONGEST_TEXT} ký tự in được."
            )
        return value

    def whole(self, name: str, otherwise: int, most: int) -> int:
        """A parameter that is a whole number from 0; `otherwise` where it is absent. Raises BadRequest for anything else."""
        text = self.text(name)
        if not text:
            return otherwise
        if not (text.isascii() and text.isdigit()) or int(text[:20]) > most:
            raise BadRequest(f"`{name}`: expected a whole number up to {most}.", vi=f"`{name}`: cần số nguyên không quá {most}.")
        return int(text)


def visit_of(request: Request, now: datetime, form: str, session: Session | None = None, *, is_sample: bool = False) -> Visit:  # fmt: skip
    """What a request says of its reader. A choice in the address (`lang`, `theme`) is kept in a cookie."""
    cookies: dict[str, str] = {}
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        cookies[LANGUAGE_COOKIE] = asked
    theme = request.query_params.get("theme")
    if theme in THEMES:
        cookies[THEME_COOKIE] = theme
    else:
        theme = request.cookies.get(THEME_COOKIE)
    return Visit(request, Speech(language_of(request), now), form, theme if theme in THEMES else "auto", session, is_sample, cookies)


def language_of(request: Request) -> str:
    """`lang` in the address, then the cookie, then what the browser says; Vietnamese where nobody says anything else."""
    for said in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
        if said in LANGUAGES:
            return said
    return _preferred(request.headers.get("accept-language", ""))


def _preferred(header: str) -> str:
    """English only for a reader who names it and not Vietnamese before it."""
    best = (0.0, VIETNAMESE)
    for place, part in enumerate(header.split(",")[:20]):
        name, _, quality = part.strip().partition(";")
        language = name.strip().lower().partition("-")[0]
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and weight - place / 1000 > best[0]:
            best = (weight - place / 1000, language)
    return ENGLISH if best[1] == ENGLISH else VIETNAMESE


def form_of(request: Request) -> str:
    """What the header asks of an address without a suffix: html unless JSON or CSV is named before it."""
    for part in request.headers.get("accept", "").split(","):
        name = part.partition(";")[0].strip().lower()
        if name in (HTML, "*/*", "text/*"):
            return "html"
        if name == JSON:
            return "json"
        if name == CSV:
            return "csv"
    return "html"


def wants_page(request: Request) -> bool:
    """Whether a browser asks: one that names HTML before any data."""
    for part in request.headers.get("accept", "").split(","):
        name = part.partition(";")[0].strip().lower()
        if name in (HTML, "application/xhtml+xml"):
            return True
        if name in (JSON, CSV, "application/problem+json", "*/*"):
            return False
    return False

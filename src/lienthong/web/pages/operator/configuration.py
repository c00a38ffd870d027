"""Settings as this server has them: value, where it comes from, what it means. A secret is said to be there, never shown."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

from lienthong import __version__
from lienthong.settings import PREFIX, Settings
from lienthong.web.pages.operator.entering import beside, enter
from lienthong.web.pages.page import Page, Table
from lienthong.web.pages.site import Site
from lienthong.web.pages.speaking import VIETNAMESE, Speech
from lienthong.web.pages.visiting import Visit

COLUMNS = ("name", "value", "from", "default", "meaning_en")
HIDDEN = "•••"


def shown(site: Site, visit: Visit) -> Page:
    actor = enter(visit)
    vietnamese = Speech(VIETNAMESE, visit.speech.now)
    told = [_setting(site.settings, spec, vietnamese) for spec in fields(Settings)]
    facts: dict[str, Any] = {"version": __version__, "settings": told}
    table = Table(COLUMNS, [[each[name] for name in COLUMNS] for each in told])
    return Page("operator/settings.html", visit.speech.t("operator.settings"), facts, table, beside(actor))


def _setting(settings: Settings, spec: Any, vietnamese: Speech) -> dict[str, Any]:
    value, name = getattr(settings, spec.name), PREFIX + spec.name.upper()
    came = "environment" if name in os.environ else "default" if value == spec.default else "program"
    key = f"settings.{spec.name}"
    return {
        "name": name,
        "value": _told(value, is_secret=spec.metadata["is_secret"]),
        "from": came,
        "default": str(spec.default),
        "meaning": vietnamese.t(key) if vietnamese.has(key) else spec.metadata["sentence"],
        "meaning_en": spec.metadata["sentence"],
    }


def _told(value: Any, *, is_secret: bool) -> str:
    """A value for the eye: no secret, and no name or password inside an address."""
    text = str(value)
    if is_secret and text:
        return HIDDEN
    if "://" in text and "@" in text:
        parts = urlsplit(text)
        return text.replace(parts.netloc, parts.netloc.rpartition("@")[2]) if parts.netloc else HIDDEN
    return text

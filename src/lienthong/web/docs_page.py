"""The documentation and start pages: made on the server from the contracts, Vietnamese first, nothing fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape

from lienthong.contracts import Contract, Sharing

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
SHARING_WORDS = {
    "open": ("Dữ liệu mở", "Open data"),
    "default": ("Chia sẻ mặc định", "Shared by default"),
    "on_request": ("Chia sẻ theo yêu cầu", "Shared on request"),
    "restricted": ("Hạn chế", "Restricted"),
}
SENSITIVITY_WORDS = {
    "public": ("Công khai", "Public"),
    "internal": ("Nội bộ", "Internal"),
    "personal": ("Cá nhân", "Personal"),
    "sensitive": ("Nhạy cảm", "Sensitive"),
}


def start_page(contracts: Mapping[str, Contract], *, is_sample: bool) -> str:
    """The plain first page."""
    return render("start.html", datasets=list(contracts.values()), is_sample=is_sample)


def docs_page(contracts: Mapping[str, Contract], base_url: str, *, is_sample: bool) -> str:
    """How to ask, and what there is to ask for."""
    opened = [c.id for c in contracts.values() if c.sharing is Sharing.OPEN]
    closed = [c.id for c in contracts.values() if c.sharing is not Sharing.OPEN]
    return render(
        "docs.html",
        datasets=sorted(contracts.values(), key=lambda c: c.id),
        base_url=base_url,
        open_example=opened[0] if opened else None,
        example=(closed or opened or ["…"])[0],
        is_sample=is_sample,
    )


def dataset_page(contract: Contract, *, is_sample: bool) -> str:
    """One dataset: its fields, its rules, its addresses."""
    return render(
        "dataset.html",
        c=contract,
        key_name="~".join(p.name for p in contract.key),
        rules=_rules(contract),
        is_sample=is_sample,
    )


@cache
def stylesheet() -> bytes:
    """The one stylesheet."""
    return resources.files("lienthong.web").joinpath("templates/lienthong.css").read_bytes()


def _rules(contract: Contract) -> list[tuple[str, str]]:
    from lienthong.quality import words_of_rules  # noqa: PLC0415 # loads polars, which only this page needs

    return list(words_of_rules(contract))


def render(name: str, **values: Any) -> str:
    return _environment().get_template(name).render(sharing_words=SHARING_WORDS, sensitivity_words=SENSITIVITY_WORDS, **values)


@cache
def _environment() -> Environment:
    folder = resources.files("lienthong.web").joinpath("templates")
    return Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text("utf-8")),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )

"""The actions, by name. Each is called with what was sent and gives what CKAN's action gives."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from lienthong.contracts import LICENCES, Contract, Sharing
from lienthong.errors import Denied, NotFound
from lienthong.sharing.filters import shown
from lienthong.standards import without_marks
from lienthong.store.publications import Publication, publications
from lienthong.web.asking import Counter
from lienthong.web.ckan_openapi import HELP
from lienthong.web.doors.asking import Door, visible
from lienthong.web.doors.ckan import datastore
from lienthong.web.doors.ckan.listing import Listing, Packages
from lienthong.web.doors.ckan.packages import (
    DATASET,
    FILES,
    Listed,
    Package,
    group_of,
    id_of,
    licence_document,
    name_of,
    organization_of,
    resource_id,
    tag_of,
)
from lienthong.web.doors.ckan.searching import search
from lienthong.web.doors.ckan.values import Parameters, wrong
from lienthong.web.shelf import Shelf

CKAN_VERSION = "2.11.5"  # whose answers these are; clients look at it
MOST_LISTED = 10_000
SECONDS_KEPT = 2.0
_CHANGE = re.compile(r"\w+_(create|update|patch|delete|purge|upsert|bulk_update_\w+|revise|add|remove|transfer|reorder|join|follow)|(un)?follow_\w+|dashboard_\w+|user_\w+|api_token_\w+|am_following_\w+|send_email_\w+")  # fmt: skip


@dataclass
class State:
    """What the door keeps between requests: packages as they were made, and the catalogue's shelf with names of agencies."""

    counter: Counter
    door: Door
    shelf: Shelf
    packages: Packages = field(init=False)
    _facts: Mapping[str, Publication] = field(init=False, default_factory=dict)
    _read_at: float = field(init=False, default=float("-inf"))
    _reading: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.packages = Packages(self.counter.public_url)

    def listed(self, contracts: Sequence[Contract]) -> Listing:
        """The packages of some datasets, in their order."""
        return self.packages.of(contracts, self._published(), self.owner)

    def one(self, contract: Contract) -> Listed:
        """The package of one dataset."""
        return self.packages.one(contract, self._published(), self.owner(contract.agency))

    def _published(self) -> Mapping[str, Publication]:
        """What of every dataset was published, at most two seconds ago: a harvester's pages do not each ask for all of it."""
        with self._reading:
            if time.monotonic() - self._read_at > SECONDS_KEPT:
                with self.counter.connection() as connection:
                    facts = publications(connection)
                self._facts = self._facts if facts == self._facts else facts  # what is the same is known again by being it
                self._read_at = time.monotonic()
            return self._facts

    def owner(self, code: str) -> str:
        """The name of an agency; its code where no register names it."""
        return self.shelf.agencies().get(code, code)


@dataclass
class Call:
    """One call of an action."""

    state: State
    request: Request
    sent: Parameters

    def contracts(self) -> list[Contract]:
        """The datasets this caller may have, in the order of their ids: open ones to anybody, others under an agreement."""
        found = {contract.id: contract for contract in self.state.counter.contracts.values() if contract.sharing is Sharing.OPEN}
        if self.request.headers.get("authorization"):
            found |= {contract.id: contract for contract, _ in visible(self.state.counter, self.request)}
        return [found[name] for name in sorted(found)]

    def listed(self, *, with_private: bool = True) -> Listing:
        """Their packages."""
        chosen = [contract for contract in self.contracts() if with_private or contract.sharing is Sharing.OPEN]
        return self.state.listed(chosen)

    def one(self, id: str) -> Listed:
        """A package by its id, its name, or the dataset's own id. Raises NotFound; Denied for what this caller may not have."""
        contract = _named(self.state.counter.contracts, id)
        if contract.id not in {each.id for each in self.contracts()}:
            if contract.is_hidden:
                raise _no_package(id)
            raise Denied(
                "This dataset is given under an agreement only.", vi="Bộ dữ liệu này chỉ cung cấp theo thỏa thuận.", rule="no_agreement"
            )
        return self.state.one(contract)


def _named(contracts: Mapping[str, Contract], id: str) -> Contract:
    found = contracts.get(id) or next((each for each in contracts.values() if id in (name_of(each.id), id_of(DATASET, each.id))), None)
    if found is None:
        raise _no_package(id)
    return found


def _no_package(id: str) -> NotFound:
    return NotFound(f"Not found: there is no package `{shown(id)}`.", vi=f"Không có bộ dữ liệu `{shown(id)}`.")


def _package_list(call: Call) -> list[str]:
    names = [each.name for each in call.listed(with_private=call.sent.flag("include_private"))]
    return names[_slice(call)]


def _slice(call: Call) -> slice:
    start = call.sent.number("offset", 0, MOST_LISTED)
    return slice(start, start + call.sent.number("limit", MOST_LISTED, MOST_LISTED))


def _with_resources(call: Call) -> list[Package]:
    found = sorted(call.listed(with_private=False), key=lambda each: each.facts.last_at, reverse=True)
    return [each.package for each in found][_slice(call)]


def _package_show(call: Call) -> Package:
    return call.one(call.sent.text("id") or call.sent.required("name_or_id")).package


def _package_search(call: Call) -> Package:
    return search(
        call.sent,
        call.listed(with_private=call.sent.flag("include_private")),
        call.state.shelf.index(),
        call.state.counter.clock(),
        call.state.owner,
    )


def _resource_show(call: Call) -> Package:
    wanted = call.sent.required("id")
    for each in call.listed():
        for resource in each.package["resources"]:
            if resource["id"] == wanted:
                return dict(resource)
    if _table_of(call, wanted) is not None:
        raise Denied("This resource is given under an agreement only.", vi="Tệp này chỉ cung cấp theo thỏa thuận.", rule="no_agreement")
    raise NotFound(f"Not found: there is no resource `{shown(wanted)}`.", vi=f"Không có tệp `{shown(wanted)}`.")


def _organizations(call: Call) -> list[Package]:
    counts = Tally(each.contract.agency for each in call.listed())
    found = [organization_of(agency, call.state.owner(agency), count) for agency, count in sorted(counts.items())]
    return sorted(found, key=lambda each: str(each["title"]))


def _organization_list(call: Call) -> list[Any]:
    return _listing(call, _organizations(call), ("organizations", "groups"))


def _group_list(call: Call) -> list[Any]:
    return _listing(call, _groups(call), ("groups",))


def _listing(call: Call, found: Sequence[Package], choices: Sequence[str]) -> list[Any]:
    wanted = next((set(call.sent.texts(name)) for name in choices if name in call.sent), None)
    chosen = [each for each in found if wanted is None or each["name"] in wanted]
    if call.sent.text("sort") in ("package_count", "package_count desc", "packages"):
        chosen.sort(key=lambda each: -int(each["package_count"]))
    chosen = chosen[_slice(call)]
    return chosen if call.sent.flag("all_fields") else [each["name"] for each in chosen]


def _groups(call: Call) -> list[Package]:
    counts = Tally(each.contract.domain for each in call.listed() if each.contract.domain)
    return [group_of(domain, count) for domain, count in sorted(counts.items())]


def _show_of(found: Sequence[Package], call: Call, field: str, word: str) -> Package:
    wanted = call.sent.required("id")
    one = next((each for each in found if wanted in (each["id"], each["name"], each["description"], each["title"])), None)
    if one is None:
        raise NotFound(f"Not found: there is no {word} `{shown(wanted)}`.", vi=f"Không có `{shown(wanted)}`.")
    if not call.sent.flag("include_datasets"):
        return one
    packages = [each.package for each in call.listed(with_private=False) if one["name"] in each.values(field)]
    return {**one, "packages": packages}


def _organization_show(call: Call) -> Package:
    return _show_of(_organizations(call), call, "organization", "organization")


def _group_show(call: Call) -> Package:
    return _show_of(_groups(call), call, "groups", "group")


def _tag_list(call: Call) -> list[Any]:
    query = call.sent.text("query").casefold()
    tags = sorted({tag for each in call.listed(with_private=False) for tag in each.tags if query in tag.casefold()})
    return [tag_of(tag) for tag in tags] if call.sent.flag("all_fields") else tags


def _tag_show(call: Call) -> Package:
    wanted = call.sent.required("id")
    packages = [each for each in call.listed(with_private=False) if wanted in each.tags]
    if not packages:
        raise NotFound(f"Not found: there is no tag `{shown(wanted)}`.", vi=f"Không có thẻ `{shown(wanted)}`.")
    more = {"packages": [each.package for each in packages]} if call.sent.flag("include_datasets") else {}
    return {**tag_of(wanted), **more}


def _like(call: Call) -> Callable[[str], bool]:
    """Whether a text holds what was typed, with marks or without."""
    typed = without_marks(call.sent.text("q"))
    return lambda text: typed in without_marks(text)


def _few(call: Call, most: int = 10) -> int:
    return call.sent.number("limit", most, MOST_LISTED)


def _package_autocomplete(call: Call) -> list[Package]:
    is_like = _like(call)
    found = [each.package for each in call.listed(with_private=False)]
    matched = [
        (package, "name" if is_like(package["name"]) else "title") for package in found if is_like(f"{package['name']} {package['title']}")
    ]
    return [
        {"name": package["name"], "title": package["title"], "match_field": place, "match_displayed": package[place]}
        for package, place in matched[: _few(call)]
    ]


def _organization_autocomplete(call: Call) -> list[Package]:
    is_like = _like(call)
    found = [each for each in _organizations(call) if is_like(f"{each['name']} {each['title']}")]
    return [{"id": each["id"], "name": each["name"], "title": each["title"]} for each in found[: _few(call, 20)]]


def _tag_autocomplete(call: Call) -> list[str]:
    is_like = _like(call)
    return [tag for tag in sorted({tag for each in call.listed(with_private=False) for tag in each.tags}) if is_like(tag)][: _few(call)]


def _format_autocomplete(call: Call) -> list[str]:
    is_like = _like(call)
    formats = sorted(
        {str(resource["format"]).lower() for each in call.listed(with_private=False) for resource in each.package["resources"]}
    )
    return [form for form in formats if is_like(form)][: _few(call, 5)]


def _group_package_show(call: Call) -> list[Package]:
    wanted = call.sent.required("id")
    group = next((each for each in _groups(call) if wanted in (each["id"], each["name"])), None)
    if group is None:
        raise NotFound(f"Not found: there is no group `{shown(wanted)}`.", vi=f"Không có nhóm `{shown(wanted)}`.")
    packages = [each.package for each in call.listed(with_private=False) if group["name"] in each.values("groups")]
    return packages[: _few(call, MOST_LISTED)]


def _resource_search(call: Call) -> Package:
    """Resources each of whose named fields holds the text, as CKAN's own has it."""
    asked: list[tuple[str, str]] = []
    value = call.sent.value("query")
    for text in value if isinstance(value, list) else [value]:
        name, colon, term = text.partition(":") if isinstance(text, str) else ("", "", "")
        if not colon or name not in ("name", "format", "url", "description"):
            raise wrong("query", "Expected `name:`, `format:`, `url:` or `description:` and a text")
        asked.append((name, without_marks(term)))
    resources = [resource for each in call.listed(with_private=False) for resource in each.package["resources"]]
    found = [each for each in resources if all(term in without_marks(str(each.get(name) or "")) for name, term in asked)]
    order = call.sent.text("order_by")
    if order:
        if order not in ("name", "format", "url", "id", "last_modified"):
            raise wrong("order_by", "Expected name, format, url, id or last_modified")
        found.sort(key=lambda each: str(each.get(order) or ""))
    return {"count": len(found), "results": found[_slice(call)]}


def _licences(call: Call) -> list[Package]:
    return [licence_document(licence, call.state.counter.public_url) for licence in LICENCES.values()]


def _status(call: Call) -> Package:
    return {
        "ckan_version": CKAN_VERSION,
        "site_title": "Liên thông",
        "site_description": "Dữ liệu của tỉnh · the province's data",
        "site_url": call.state.counter.public_url,
        "error_emails_to": None,
        "locale_default": "vi",
        "extensions": ["datastore"],
    }


def _help(call: Call) -> str:
    name = call.sent.required("name")
    if name not in ACTIONS:
        raise NotFound(f"Action name not known: {shown(name)}", vi=f"Không có thao tác `{shown(name)}`.")
    return HELP[name]


def _views(call: Call) -> list[Any]:
    _resource_show(call)
    return []


def _table_of(call: Call, resource: str) -> Contract | None:
    """The dataset whose resource this is, whether the caller may have it or not."""
    forms = ("csv", *(form for form, *_ in FILES), "api-json", "api-openapi")
    return next(
        (each for each in call.state.counter.contracts.values() if resource in {resource_id(each.id, form) for form in forms}), None
    )


def _table(call: Call, name: str) -> Contract:
    """The dataset of a DataStore resource: its id, the package's name, or the dataset's own id."""
    wanted = call.sent.text(name) or call.sent.required("resource_id")
    contracts = call.state.counter.contracts
    found = next((each for each in contracts.values() if wanted in (each.id, name_of(each.id), resource_id(each.id, "csv"))), None)
    if found is None:
        raise NotFound(f"Not found: resource `{shown(wanted)}` was not found.", vi=f"Không có tệp `{shown(wanted)}`.")
    return found


def _datastore_search(call: Call) -> Response:
    contract = _table(call, "resource_id")
    return datastore.search(call.state.counter, call.state.door, call.request, contract, call.sent)


def _datastore_info(call: Call) -> Response:
    contract = _table(call, "id")
    return datastore.info(call.state.counter, call.state.door, call.request, contract)


Action = Callable[[Call], Any]
ACTIONS: dict[str, Action] = {
    "package_list": _package_list,
    "current_package_list_with_resources": _with_resources,
    "package_show": _package_show,
    "package_search": _package_search,
    "resource_show": _resource_show,
    "resource_view_list": _views,
    "organization_list": _organization_list,
    "organization_show": _organization_show,
    "group_list": _group_list,
    "group_show": _group_show,
    "tag_list": _tag_list,
    "tag_show": _tag_show,
    "tag_autocomplete": _tag_autocomplete,
    "package_autocomplete": _package_autocomplete,
    "organization_autocomplete": _organization_autocomplete,
    "format_autocomplete": _format_autocomplete,
    "group_package_show": _group_package_show,
    "resource_search": _resource_search,
    "vocabulary_list": lambda _: [],
    "organization_list_for_user": lambda _: [],
    "license_list": _licences,
    "datastore_search": _datastore_search,
    "datastore_info": _datastore_info,
    "status_show": _status,
    "site_read": lambda _: True,
    "help_show": _help,
}


def is_change(name: str) -> bool:
    """Whether it is an action of CKAN's that changes something, or is about its users."""
    return _CHANGE.fullmatch(name) is not None

"""The addresses of the door: descriptors, files at addresses that stay, contracts, licences."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import yaml
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Decision, Operation
from lienthong.contracts import LICENCES, Contract, Sharing
from lienthong.errors import Denied, NotFound, Unauthenticated
from lienthong.sharing.filters import Wanted, read_known, read_list, shown
from lienthong.sharing.formats import CSV, JSON, PARQUET, Tally, write_stream
from lienthong.sharing.pages import prepare_whole
from lienthong.sharing.rights import right_of
from lienthong.sharing.way_out import no_dataset
from lienthong.sharing.workbook import XLSX
from lienthong.store.answers import Sort, newest_version
from lienthong.store.publications import contract_documents, known_at
from lienthong.web.asking import PRIVATE, PUBLIC, Counter
from lienthong.web.doors.asking import Door, authorise, basic, bearer, file, raw
from lienthong.web.doors.ckan.packages import licence_document, name_of
from lienthong.web.doors.packages.csvw import metadata_of
from lienthong.web.doors.packages.datapackage import package_of
from lienthong.web.doors.packages.telling import Fingerprint, Told
from lienthong.web.problem import PROBLEM
from lienthong.web.shelf import Shelf

FORMS = {"csv": CSV, "json": JSON, "xlsx": XLSX, "parquet": PARQUET}
MOST_ROWS_HASHED = 100_000  # a larger file's length and hash are not told: to know them it would have to be written
MOST_FINGERPRINTS = 1_000
MOST_LISTS = 5
SECRETS = frozenset({"sources"})  # words of a contract that say where an agency's systems are


def _say(status: int, document: Mapping[str, Any], headers: Mapping[str, str]) -> Response:
    return Response(msgspec.json.encode(document), status, headers, PROBLEM)


DOOR = Door("packages", _say, (bearer, basic, raw("authorization", "x-ckan-api-key")), challenge="Bearer")


@dataclass
class State:
    """What the door keeps between requests: the catalogue's shelf with names of agencies, fingerprints of files."""

    counter: Counter
    shelf: Shelf
    _prints: dict[tuple[Any, ...], Fingerprint] = field(init=False, default_factory=dict)
    _reading: threading.Lock = field(init=False, default_factory=threading.Lock)

    def owner(self, code: str) -> str:
        return self.shelf.agencies().get(code, code)

    def fingerprint(self, contract: Contract, decision: Decision, version: int) -> Fingerprint | None:
        """Of the CSV of a version of an open dataset; written once to know it, and only where it is not large."""
        if contract.sharing is not Sharing.OPEN or not version:
            return None
        name = (contract.id, version, decision.visible, tuple(sorted(decision.masked.items())))
        with self._reading:
            if name not in self._prints:
                made = self._made(contract, decision, version)
                if made is None:
                    return None
                if len(self._prints) >= MOST_FINGERPRINTS:
                    self._prints.clear()
                self._prints[name] = made
            return self._prints[name]

    def _made(self, contract: Contract, decision: Decision, version: int) -> Fingerprint | None:
        right = right_of(decision, contract, "")
        with self.counter.connection() as connection:
            whole = prepare_whole(
                connection, self.counter.desk, contract, _in_order(contract, decision, Wanted(), version, connection), right
            )
        digest, size, tally = hashlib.sha256(), 0, Tally()
        pieces = write_stream(CSV, whole.batches(self.counter.database_url), whole.masks, tally)
        for piece in pieces:
            digest.update(piece)
            size += len(piece)
            if tally.rows > MOST_ROWS_HASHED:
                return None
        return Fingerprint(size, digest.hexdigest(), tally.rows)


def routes_of(counter: Counter, shelf: Shelf) -> list[Route]:
    """The routes of this door."""
    state = State(counter, shelf)

    def route(path: str, act: Any) -> Route:
        return DOOR.route(path, lambda _, request: act(state, request), counter)

    return [
        route("/v1/licences", _licences),
        route("/v1/licences/{licence}", _licence),
        route("/contracts/{dataset}/{version}.yaml", _contract),
        route("/dataset/{dataset}/datapackage.json", _package),
        route("/dataset/{dataset}.csv-metadata.json", _metadata),
        route("/dataset/{dataset}/versions/{version}.{form}", _version),
        *(route(f"/dataset/{{dataset}}.{form}", _file_in(form)) for form in FORMS),
    ]


def _file_in(form: str) -> Any:
    def act(state: State, request: Request) -> Response:
        return _given(state, request, form, None)

    return act


def _version(state: State, request: Request) -> Response:
    form, number = request.path_params["form"], request.path_params["version"]
    if form not in FORMS:
        raise NotFound(f"There is no such format: one of {', '.join(FORMS)}.", vi=f"Không có định dạng này: một trong {', '.join(FORMS)}.")
    return _given(state, request, form, int(number) if number.isascii() and number.isdigit() and len(number) < 10 else -1)


def _given(state: State, request: Request, form: str, version: int | None) -> Response:
    contract = _named(state, request)
    wanted = read_list(request.query_params.multi_items(), contract)
    try:
        decision = _decision(state, request, contract)
    except Unauthenticated:
        authorise(state.counter, request, contract, Operation.BULK)  # refuses as well, with its entry in the ledger
        raise
    with state.counter.connection() as connection:
        if version is not None and wanted.known_at is None:
            at = known_at(connection, contract.id, version)
            if at is None:
                raise NotFound(f"`{contract.id}` has no such version.", vi=f"`{contract.id}` không có phiên bản này.")
            wanted = replace(wanted, known_at=at)
        if decision is not None:
            wanted = _in_order(contract, decision, wanted, None, connection)
    response = file(state.counter, DOOR, request, contract, wanted, FORMS[form])
    if form == "csv" and version is None and not wanted.fields:
        response.headers["Link"] = (
            f'<{state.counter.public_url}/dataset/{contract.id}.csv-metadata.json>; rel="describedby"; type="application/csvm+json"'
        )
    return response


def _in_order(contract: Contract, decision: Decision, wanted: Wanted, version: int | None, connection: Any) -> Wanted:
    """In the order of keys, where those may be seen: a version's file is then the same bytes each time."""
    if version is not None:
        wanted = replace(wanted, known_at=known_at(connection, contract.id, version))
    key = [p.name for p in contract.key]
    if wanted.sorts or not all(name in decision.visible and name not in decision.masked for name in key):
        return wanted
    return replace(wanted, sorts=tuple(Sort(name) for name in key))


def _package(state: State, request: Request) -> Response:
    read_known(request.query_params.multi_items(), ())
    told = _told(state, request)
    return _answer(told, package_of(told, state.counter.public_url), JSON)


def _metadata(state: State, request: Request) -> Response:
    read_known(request.query_params.multi_items(), ())
    told = _told(state, request)
    return _answer(told, metadata_of(told, state.counter.public_url), "application/csvm+json")


def _answer(told: Told, document: Mapping[str, Any], media_type: str) -> Response:
    headers = PUBLIC if told.contract.sharing is Sharing.OPEN else PRIVATE
    return Response(msgspec.json.format(msgspec.json.encode(document), indent=2), media_type=media_type, headers=headers)


def _told(state: State, request: Request) -> Told:
    """The dataset an address names as the caller sees it, with the open lists it refers to. Raises NotFound, Denied."""
    contract = _named(state, request)
    decision = _decision(state, request, contract)
    if decision is None:
        raise Denied(
            "This dataset is given under an agreement only.", vi="Bộ dữ liệu này chỉ cung cấp theo thỏa thuận.", rule="no_agreement"
        )
    names = dict.fromkeys(str(rule.parameters["dataset"]) for rule in contract.all_rules if rule.kind == "reference")
    lists = [state.counter.contracts[name] for name in names if name in state.counter.contracts and name != contract.id]
    chosen = [each for each in lists if each.sharing is Sharing.OPEN][:MOST_LISTS]
    described = [_as_seen(state, each, seen) for each in chosen if (seen := _decision(state, request, each)) is not None]
    return replace(_as_seen(state, contract, decision), lists=tuple(each for each in described if each.version))


def _as_seen(state: State, contract: Contract, decision: Decision) -> Told:
    shown_fields = {*decision.visible, *decision.masked}
    with state.counter.connection() as connection:
        version = newest_version(connection, contract.id) or 0
        at = known_at(connection, contract.id, version) if version else None
    fields = tuple(p.name for p in contract.properties if p.name in shown_fields)
    fingerprint = state.fingerprint(contract, decision, version)
    return Told(contract, fields, frozenset(decision.masked), state.owner(contract.agency), version, at, fingerprint)


def _decision(state: State, request: Request, contract: Contract) -> Decision | None:
    """What the caller may have of a dataset as a file; None: nothing."""
    openings = state.counter.authorise.openings(request, [contract], Operation.BULK)
    return openings[0][1] if openings else None


def _named(state: State, request: Request) -> Contract:
    """The dataset of a path, by its id or its name in CKAN."""
    name = request.path_params["dataset"]
    contracts = state.counter.contracts
    contract = contracts.get(name) or next((each for each in contracts.values() if name_of(each.id) == name), None)
    if contract is None or (contract.is_hidden and not _is_known(state, request, contract)):
        raise no_dataset(name)
    return contract


def _is_known(state: State, request: Request, contract: Contract) -> bool:
    """Whether the caller may know that there is such a dataset; who shows a bad token is told no more than anybody."""
    try:
        return _decision(state, request, contract) is not None
    except Unauthenticated:
        return False


def _contract(state: State, request: Request) -> Response:
    """The contract of a version as an ODCS file, without where its sources are."""
    read_known(request.query_params.multi_items(), ())
    contract, version = _named(state, request), request.path_params["version"]
    if "\x00" in version:  # no text in the database has one
        raise NotFound(f"`{contract.id}` has no contract of this version.", vi=f"`{contract.id}` không có hợp đồng phiên bản này.")
    with state.counter.connection() as connection:
        kept = [contract.document] if contract.version == version else contract_documents(connection, contract.id, shown(version))
    if not kept:
        raise NotFound(f"`{contract.id}` has no contract of this version.", vi=f"`{contract.id}` không có hợp đồng phiên bản này.")
    text = yaml.safe_dump(without_secrets(kept[0]), allow_unicode=True, sort_keys=False, width=140)
    return Response(text, media_type="application/yaml", headers=PUBLIC)


def without_secrets(document: Any) -> dict[str, Any]:
    """A contract's document without what says where an agency's systems are."""
    words = [word for word in document.get("customProperties") or () if word.get("property") not in SECRETS]
    return {**{name: value for name, value in document.items() if name != "servers"}, "customProperties": words}


def _licences(state: State, request: Request) -> Response:
    read_known(request.query_params.multi_items(), ())
    found = [licence_document(licence, state.counter.public_url) for licence in LICENCES.values()]
    return Response(msgspec.json.encode({"licences": found}), media_type=JSON, headers=PUBLIC)


def _licence(state: State, request: Request) -> Response:
    read_known(request.query_params.multi_items(), ())
    licence = LICENCES.get(request.path_params["licence"])
    if licence is None:
        raise NotFound("There is no such licence.", vi="Không có giấy phép này.")
    return Response(msgspec.json.encode(licence_document(licence, state.counter.public_url)), media_type=JSON, headers=PUBLIC)

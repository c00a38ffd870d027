"""`/v1/me/uses`: who used a signed-in citizen's data, when, for what; each line with its proof. `/v3/…`: the same after Estonia's data tracker.

The tracker's shape is for portals of citizens: one that `LIENTHONG_CITIZEN_PORTALS` names has proved the citizen itself and says so in
`X-Road-UserId`; it is answered about that person and nobody else. Each look is an entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Quota
from lienthong.contracts import disclosure_words
from lienthong.errors import BadRequest, Denied, NotFound
from lienthong.ledger import Entry, Event, SubjectKey
from lienthong.sharing.filters import read_instant, read_known, read_limit
from lienthong.sharing.receipts import Notary, receipt
from lienthong.sharing.uses import Certainty, Mine, Use, Uses, Window, titles, use_at, uses_of
from lienthong.standards import STANDARDS
from lienthong.store.citizens import records_of
from lienthong.store.found import found_upto
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer, public_contracts
from lienthong.web.authorising import Authoriser
from lienthong.web.identified import identify

if TYPE_CHECKING:
    from lienthong.access import Register

QUOTA = Quota(per_minute=600, per_day=200_000)
MOST_LINES = 500
LARGEST_NUMBER = 10**17
TRACKER_LIMIT, TRACKER_MOST = 1_000, 10_000
TRACKER_PARAMETERS = (
    "userCode",
    "processingType",
    "includeBulkProcessing",
    "logSourceSystems",
    "periodStart",
    "periodEnd",
    "limit",
    "offset",
)
RESPONSE, INTERNAL = "DATA_RESPONSE", "INTERNAL_PROCESSING"


@dataclass(frozen=True)
class UsesDesk:
    """What answers citizens."""

    counter: Counter
    authorise: Authoriser
    register: Callable[[], Register]
    notary: Notary
    subject_key: bytes
    portals: frozenset[str]
    data_protection: str = ""  # who answers for personal data

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route("/v1/me/uses", self._threaded(self._uses)),
            Route("/v1/me/uses/{position}/receipt", self._threaded(self._receipt)),
            Route("/v1/disclosure", self._threaded(self._rules)),
            Route("/v3/findUsage", self._threaded(self._find_usage)),
            Route("/v3/heartbeat", self._threaded(self._heartbeat)),
        ]

    def _threaded(self, act: Callable[[Request], Response]) -> Any:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(act, request)

        return answer

    # The citizen

    def _uses(self, request: Request) -> Response:
        number = acting.citizen_of(request)
        known = read_known(request.query_params.multi_items(), ("before", "from", "to", "limit", "whole"))
        if known.get("whole", "true") not in ("true", "false"):
            raise BadRequest("`whole`: expected true or false.", vi="`whole`: true hoặc false.")
        window = Window(
            before=_position(known["before"]) if "before" in known else None,
            begins=read_instant("from", known["from"]) if "from" in known else None,
            ends=read_instant("to", known["to"]) if "to" in known else None,
            limit=read_limit(known.get("limit"), MOST_LINES) or 100,
            with_whole=known.get("whole", "true") == "true",
        )
        return json_answer(self.told(number, window))

    def told(self, number: str, window: Window) -> dict[str, Any]:
        """A citizen's lines, and the entry that they looked."""
        mine, uses, upto = self._found(number, window)
        self._note(number, len(uses.lines))
        return {
            "uses": [self._line(use) for use in uses.lines],
            "next": uses.next,
            "known_upto": upto,
            "records": [{"dataset": dataset, **self._named(dataset)} for dataset in sorted(mine.datasets)],
        }

    def _receipt(self, request: Request) -> Response:
        number = acting.citizen_of(request)
        read_known(request.query_params.multi_items(), ())
        counter, position = self.counter, _position(request.path_params["position"])
        mine = self._mine(number)
        with counter.connection() as connection:
            use = use_at(connection, counter.contracts, self.register(), mine, position, counter.clock())
            if use is None:
                raise NotFound("There is no such line among yours.", vi="Không có dòng này trong các dòng của bạn.")
            hides = use.entry.official == "" and '"official":' in use.body
            made = receipt(connection, self.notary, position, use.body, with_body=not hides)
        self._note(number, 1)
        return json_answer(made)

    def _rules(self, request: Request) -> Response:
        """What each dataset's contract says a person is shown, and who answers for personal data: no token is asked for."""
        read_known(request.query_params.multi_items(), ())
        rules = [
            {
                "dataset": contract.id, "title": contract.title_vi, "title_en": contract.title_en,
                "delay_days": contract.disclosure.delay_days, "delayed_purposes": dict(contract.disclosure.delayed_purposes),
                "hidden_purposes": list(contract.disclosure.hidden_purposes), "shows_official": contract.disclosure.shows_official,
                "legal_basis": contract.disclosure.legal_basis, "words": disclosure_words(contract.disclosure, 0),
                "words_en": disclosure_words(contract.disclosure, 1),
            }
            for contract in public_contracts(self.counter)
            if contract.is_about_persons
        ]  # fmt: skip
        return json_answer({"rules": rules, "data_protection": self.data_protection}, is_public=True)

    def _found(self, number: str, window: Window) -> tuple[Mine, Uses, int]:
        counter, mine = self.counter, self._mine(number)
        with counter.connection() as connection:
            uses = uses_of(connection, counter.contracts, self.register(), mine, window, counter.clock())
            return mine, uses, found_upto(connection)

    def _mine(self, number: str) -> Mine:
        with self.counter.workshop.database.connect() as connection:
            return Mine(records_of(connection, self.counter.contracts, number), SubjectKey(self.subject_key))

    def _note(self, number: str, lines: int, caller: str = "") -> None:
        """That the citizen looked is an entry too, under a keyed hash of their number."""
        subject = SubjectKey(self.subject_key).hash("citizen", number)
        self.counter.append(
            Entry(
                at=self.counter.clock(), event=Event.USES_SHOWN, caller=caller or "citizen", subject=subject, outcome="given",
                details={"lines": lines},
            )
        )  # fmt: skip

    def _named(self, dataset: str) -> dict[str, str]:
        contract = self.counter.contracts.get(dataset)
        title = (dataset, dataset) if contract is None else (contract.title_vi, contract.title_en)
        return {"title": title[0], "title_en": title[1]}

    def _line(self, use: Use) -> dict[str, Any]:
        entry, contract, register = use.entry, self.counter.contracts.get(use.entry.dataset), self.register()
        subsystem = register.subsystems.get(entry.caller)
        fields = titles(contract, entry.fields) if contract is not None else []
        return {
            "position": use.position,
            "at": entry.at,
            "kind": use.kind,
            "certainty": use.certainty.value,
            "words": use.vi,
            "words_en": use.en,
            "caller": entry.caller,
            "caller_title": None if subsystem is None else subsystem.title_vi,
            "agency": _agency(entry.caller),
            "official": entry.official or None,
            "purpose": entry.purpose,
            "legal_basis": entry.legal_basis,
            "agreement": entry.agreement,
            "dataset": entry.dataset,
            **self._named(entry.dataset),
            "fields": [{"name": name, "title": vi, "title_en": en} for name, (vi, en) in zip(entry.fields, fields, strict=False)],
            "shown_from": use.shown_from,
            "proof": f"/v1/me/uses/{use.position}/receipt",
        }

    # After Estonia's data tracker, version 3

    def _find_usage(self, request: Request) -> Response:
        number, caller = self._asked_about(request)
        items = request.query_params.multi_items()
        repeated = {name: [text for key, text in items if key == name] for name in ("processingType", "logSourceSystems")}
        known = read_known([(name, text) for name, text in items if name not in repeated], TRACKER_PARAMETERS)
        if known.get("userCode", number) != number:
            raise Denied("You are answered about the person who signed in, and nobody else.", rule="other_person", vi="Chỉ trả lời về chính người đã đăng nhập.", en="You are answered about the person who signed in, and nobody else.")  # fmt: skip
        limit, offset = read_limit(known.get("limit"), TRACKER_MOST) or TRACKER_LIMIT, _position(known.get("offset", "0"))
        bulk = known.get("includeBulkProcessing", "false")
        if bulk not in ("true", "false") or not set(repeated["processingType"]) <= {"DATA_REQUEST", RESPONSE, "DATA_PROCESSING", INTERNAL}:
            raise BadRequest("`includeBulkProcessing` is true or false; `processingType` one of the four.", vi="Tham số không đúng.")
        window = Window(
            begins=read_instant("periodStart", known["periodStart"]) if "periodStart" in known else None,
            ends=read_instant("periodEnd", known["periodEnd"]) if "periodEnd" in known else None,
            limit=TRACKER_MOST,
            with_whole=bulk == "true",
        )
        _, uses, _ = self._found(number, window)
        kinds = set(repeated["processingType"]) or {RESPONSE, INTERNAL}
        systems = set(repeated["logSourceSystems"])
        lines = [use for use in uses.lines if self._type(use) in kinds and (not systems or use.entry.dataset in systems)]
        some = lines[offset : offset + limit]
        self._note(number, len(some), caller)
        return json_answer(
            {
                "totalUsages": len(lines),
                "returnedUsages": len(some),
                "dataRequests": [],
                "dataResponses": [{**self._usage(use), "target": self._owner(use)} for use in some if self._type(use) == RESPONSE],
                "dataProcessings": [],
                "internalProcessings": [{**self._usage(use), "source": self._owner(use)} for use in some if self._type(use) == INTERNAL],
            }
        )

    def _heartbeat(self, request: Request) -> Response:
        del request
        with self.counter.connection() as connection:
            found_upto(connection)
        return json_answer({"status": "OK", "message": "API is ready"}, is_public=True)

    def _asked_about(self, request: Request) -> tuple[str, str]:
        """(the person, the portal that vouches for them, none for their own session)."""
        if request.headers.get("authorization") is None:
            return acting.citizen_of(request), ""
        who = identify(self.counter, self.authorise, request, "", "find usage", QUOTA, with_reason=False)
        if who.caller not in self.portals:
            raise Denied("This subsystem is no portal of citizens.", rule="no_portal", vi="Hệ thống này không phải cổng của công dân.", en="This subsystem is no portal of citizens.")  # fmt: skip
        number = request.headers.get("x-road-userid", "").removeprefix("VN")
        cleaned = STANDARDS["citizen_id"].clean(number, {})
        if cleaned.value is None or cleaned.value != number:
            raise BadRequest("X-Road-UserId: expected the citizen's number.", vi="X-Road-UserId: cần số định danh cá nhân.")
        return number, who.caller

    def _type(self, use: Use) -> str:
        contract = self.counter.contracts.get(use.entry.dataset)
        return INTERNAL if contract is not None and contract.agency == _agency(use.entry.caller) else RESPONSE

    def _usage(self, use: Use) -> dict[str, Any]:
        entry = use.entry
        organisation = {"type": "GOV", "code": _agency(entry.caller), "name": entry.caller, "systemName": entry.caller}
        is_late = use.shown_from > entry.at
        return {
            "logTime": entry.at, "purpose": use.vi, "logSourceSystem": entry.dataset or None,
            "bulkProcessing": use.certainty is not Certainty.NAMED, "legalBasis": entry.legal_basis or None, "consentReference": None,
            "queryId": str(use.position), "queryGroupId": None,
            "hiddenReason": self.counter.contracts[entry.dataset].disclosure.legal_basis if is_late else None,
            "hiddenUntil": use.shown_from if is_late else None,
            "initiatorOrg": organisation, "initiatorPerson": {"alternativeCode": entry.official} if entry.official else None,
        }  # fmt: skip

    def _owner(self, use: Use) -> dict[str, str]:
        contract = self.counter.contracts.get(use.entry.dataset)
        agency = "" if contract is None else contract.agency
        return {"type": "GOV", "code": agency, "name": agency or use.entry.dataset, "systemName": use.entry.dataset}


def _agency(caller: str) -> str:
    """The agency part of `VN/GOV/<agency>/<subsystem>`; what is no identifier says it whole."""
    parts = caller.split("/")
    return parts[2] if len(parts) == 4 else caller


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18 or int(text) > LARGEST_NUMBER:
        raise BadRequest("Expected a position of the ledger.", vi="Cần một vị trí trong sổ.")
    return int(text)

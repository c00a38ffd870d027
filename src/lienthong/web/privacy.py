"""Files and requests about personal data over HTTP: a citizen asks and objects, the agency answers by the clock, whoever inspects sees what is late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor, Role, Sealer
from lienthong.access.privacy import OF_PERSONS, TITLES, CaseKind
from lienthong.errors import BadRequest, Unprocessable
from lienthong.ledger import Entry, Event, SubjectKey
from lienthong.pipeline import privacy
from lienthong.pipeline.privacy import CITIZEN, Asking, Registrar
from lienthong.sharing.filters import read_instant, read_known
from lienthong.store import privacy as store
from lienthong.store.privacy import Case, Which
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer
from lienthong.web.bodies import read_object
from lienthong.web.desk import number_of, text_of

LARGEST_BODY = 65_536
PLACE = "privacy_cases.person"
LOOKING = (Role.DATA_OFFICER, Role.OPERATOR, Role.AUDITOR, Role.LEADER)
STEPS = {"note": ("words",), "answer": ("words",), "done": ("words",), "refuse": ("words", "legal_text")}
FILES = (CaseKind.BREACH, CaseKind.IMPACT)


@dataclass(frozen=True)
class PrivacyDesk:
    """What answers about cases."""

    counter: Counter
    registrar: Registrar
    sealer: Sealer

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route("/v1/me/requests", self._threaded(self._mine), methods=["GET"]),
            Route("/v1/me/requests", self._sent(self._ask), methods=["POST"]),
            Route("/v1/me/requests/{case}/withdraw", self._sent(self._withdraw), methods=["POST"]),
            Route("/v1/privacy/cases", self._threaded(self._list), methods=["GET"]),
            Route("/v1/privacy/cases", self._sent(self._open), methods=["POST"]),
            Route("/v1/privacy/cases/{case}", self._threaded(self._show), methods=["GET"]),
            *(Route(f"/v1/privacy/cases/{{case}}/{act}", self._sent(self._moving(act)), methods=["POST"]) for act in STEPS),
        ]

    def _threaded(self, act: Callable[[Request], Response]) -> Any:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(act, request)

        return answer

    def _sent(self, act: Callable[[Request, Mapping[str, Any]], Response]) -> Any:
        async def answer(request: Request) -> Response:
            document = await read_object(request, LARGEST_BODY)
            return await run_in_threadpool(act, request, document)

        return answer

    # The citizen

    def asking(self, number: str) -> Asking:
        """Who asks: a keyed hash of their number, and the number sealed for the officer who must act."""
        subject = SubjectKey(self.counter.subject_key).hash(CITIZEN, number)
        return Asking(subject, self.sealer.seal(number.encode(), f"{PLACE} {subject}"))

    def _mine(self, request: Request) -> Response:
        subject = self.asking(acting.citizen_of(request)).subject
        read_known(request.query_params.multi_items(), ())
        with self.counter.workshop.database.connect() as connection:
            cases = store.cases(connection, Which(subject=subject))
            return json_answer({"requests": [self.told(case, store.steps(connection, case.case)) for case in cases]})

    def _ask(self, request: Request, sent: Mapping[str, Any]) -> Response:
        person = self.asking(acting.citizen_of(request))
        _known(sent, ("kind", "dataset", "words"), ("position", "field", "value"))
        kind = _kind(sent, OF_PERSONS)
        contract = self.counter.contracts.get(text_of(sent, "dataset"))
        if contract is None or not contract.is_about_persons:
            raise Unprocessable("There is no such dataset about persons.", vi="Không có bộ dữ liệu cá nhân này.")
        content = {name: sent[name] for name in ("words", "field", "value", "position") if name in sent}
        names = {p.name for p in contract.properties}
        is_right = kind is not CaseKind.CORRECTION or (sent.get("field") in names and isinstance(sent.get("value"), str))
        if not _is_words(sent["words"]) or not is_right or not isinstance(sent.get("position", 0), int):
            raise Unprocessable("Say it in words; a correction names a field of the dataset and its value.", vi="Cần ghi rõ nội dung; yêu cầu chỉnh sửa phải nêu trường và giá trị đúng.")  # fmt: skip
        number = privacy.open_case(self.registrar, kind, contract.agency, contract.id, content, CITIZEN, person=person)
        return self._answer_mine(number, person.subject)

    def _withdraw(self, request: Request, sent: Mapping[str, Any]) -> Response:
        subject = self.asking(acting.citizen_of(request)).subject
        _known(sent, ("words",), ())
        number = number_of("case", request.path_params["case"])
        privacy.move(self.registrar, number, "withdraw", CITIZEN, text_of(sent, "words"), subject=subject)
        return self._answer_mine(number, subject)

    def _answer_mine(self, number: int, subject: str) -> Response:
        with self.counter.workshop.database.connect() as connection:
            case = privacy.found(connection, number, subject=subject)
            return json_answer(self.told(case, store.steps(connection, number)))

    # The agency

    def _list(self, request: Request) -> Response:
        actor = acting.require(request, *LOOKING)
        known = read_known(request.query_params.multi_items(), ("state",))
        state = known.get("state", "live")
        if state not in ("live", "overdue", "all"):
            raise BadRequest("`state`: expected live, overdue or all.", vi="`state`: live, overdue hoặc all.")
        now = self.counter.clock()
        which = Which(agency=_agency_of(actor), is_live=state == "live", overdue_at=now if state == "overdue" else None)
        with self.counter.workshop.database.connect() as connection:
            cases = store.cases(connection, which)
        self._note(actor, len(cases))
        return json_answer({"cases": [self._line(case) for case in cases]})

    def _show(self, request: Request) -> Response:
        actor = acting.require(request, *LOOKING)
        with self.counter.workshop.database.connect() as connection:
            case = privacy.found(connection, number_of("case", request.path_params["case"]), agency=_agency_of(actor))
            steps = store.steps(connection, case.case)
        self._note(actor, 1, case)
        number = None
        if case.person is not None and actor.is_of(case.agency) and actor.may(Role.DATA_OFFICER):
            number = self.sealer.open(case.person, f"{PLACE} {case.subject}").decode()
        return json_answer({**self.told(case, steps, with_notes=True), "person": number})

    def _open(self, request: Request, sent: Mapping[str, Any]) -> Response:
        actor = acting.require(request, Role.DATA_OFFICER)
        _known(sent, ("kind", "words"), ("dataset", "begins_at"))
        kind, dataset = _kind(sent, FILES), sent.get("dataset", "")
        if dataset and (dataset not in self.counter.contracts or self.counter.contracts[dataset].agency != actor.agency):
            raise Unprocessable("The dataset is not one of your agency's.", vi="Bộ dữ liệu không thuộc cơ quan của bạn.")
        if not _is_words(sent["words"]) or not isinstance(sent.get("begins_at", ""), str):
            raise Unprocessable("Say in words what happened, and when it begins as an instant.", vi="Cần ghi rõ nội dung và thời điểm.")
        begins = read_instant("begins_at", sent["begins_at"]) if "begins_at" in sent else None
        number = privacy.open_case(self.registrar, kind, actor.agency, dataset, {"words": sent["words"]}, actor.name, begins_at=begins)
        return self._answer_agency(number)

    def _moving(self, act: str) -> Callable[[Request, Mapping[str, Any]], Response]:
        def move(request: Request, sent: Mapping[str, Any]) -> Response:
            actor = acting.require(request, Role.DATA_OFFICER)
            _known(sent, STEPS[act], ())
            number, law = number_of("case", request.path_params["case"]), sent.get("legal_text", "")
            if not isinstance(law, str) or len(law) > privacy.MOST_WORDS or "\x00" in law:
                raise Unprocessable("`legal_text` is text.", vi="`legal_text` phải là văn bản.")
            privacy.move(self.registrar, number, act, actor.name, text_of(sent, "words"), legal_text=law, agency=actor.agency)
            return self._answer_agency(number)

        return move

    def _answer_agency(self, number: int) -> Response:
        with self.counter.workshop.database.connect() as connection:
            case = privacy.found(connection, number)
            return json_answer(self.told(case, store.steps(connection, number), with_notes=True))

    def _note(self, actor: Actor, count: int, case: Case | None = None) -> None:
        self.counter.append(
            Entry(
                at=self.counter.clock(), event=Event.PRIVACY_READ, caller=actor.subsystem or actor.agency, official=actor.name,
                subject=None if case is None else case.subject, outcome="given", details={"cases": count},
            )
        )  # fmt: skip

    # Words

    def _line(self, case: Case) -> dict[str, Any]:
        vi, en = TITLES[CaseKind(case.kind)]
        return {
            "case": case.case, "kind": case.kind, "title": vi, "title_en": en, "agency": case.agency, "dataset": case.dataset,
            "state": case.state, "opened_at": case.opened_at, "begins_at": case.begins_at, "answer_by": case.answer_by, "act_by": case.act_by,
            "is_overdue": case.is_overdue(self.counter.clock()), "legal_basis": case.legal_basis,
        }  # fmt: skip

    def told(self, case: Case, steps: list[store.Step], *, with_notes: bool = False) -> dict[str, Any]:
        """A case whole. Notes are the agency's own, and so are its officials' names."""
        return {
            **self._line(case),
            "content": dict(case.content),
            "steps": [
                {
                    "act": step.act, "state": step.state, "at": step.at, "words": step.words, "legal_text": step.legal_text,
                    "by": step.by_whom if with_notes else CITIZEN if step.by_whom == CITIZEN else case.agency,
                }
                for step in steps
                if with_notes or step.act != "note"
            ],
        }  # fmt: skip


def _agency_of(actor: Actor) -> str | None:
    """Whose cases somebody may see: an inspector everybody's, others their agency's."""
    return None if actor.may(Role.OPERATOR, Role.AUDITOR) else actor.agency


def _known(sent: Mapping[str, Any], must: tuple[str, ...], may: tuple[str, ...]) -> None:
    if set(must) - set(sent) or set(sent) - {*must, *may}:
        raise Unprocessable(f"Expected {', '.join(must)}; {', '.join(may) or 'nothing'} beside them.", vi=f"Cần: {', '.join(must)}.")


def _kind(sent: Mapping[str, Any], kinds: tuple[CaseKind, ...]) -> CaseKind:
    found = next((kind for kind in kinds if kind.value == sent["kind"]), None)
    if found is None:
        raise Unprocessable(f"`kind`: expected one of {', '.join(kinds)}.", vi=f"`kind`: một trong {', '.join(kinds)}.")
    return found


def _is_words(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= privacy.MOST_WORDS and "\x00" not in value

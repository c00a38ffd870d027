"""`/v1/agencies`, `/v1/subsystems`: who takes part. Keys are proved by signing a question; mergers are proposed here and decided under `/v1/approvals`."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import PRODUCTION, SANDBOX, Actor, Agency, ApprovedLevel, Lowest, Role
from lienthong.clock import vietnam_date
from lienthong.errors import BadRequest, NotFound, Unprocessable
from lienthong.pipeline import agencies, approving, first_week, registering
from lienthong.pipeline.first_week import Limits
from lienthong.pipeline.granting import agency_code
from lienthong.pipeline.leveling import LevelStanding, level_document, level_standing, level_standings
from lienthong.store import Connection
from lienthong.store import agencies as tree
from lienthong.store import security_levels as levels
from lienthong.store import subsystems as systems
from lienthong.store.subsystems import KeptKey
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer
from lienthong.web.bodies import read_json
from lienthong.web.desk import text_of
from lienthong.web.people import proposal_document

LARGEST_BODY = 262_144
LARGEST_LEVEL = 7_000_000  # a file of five megabytes in base64
KEEPERS = (Role.DATA_OFFICER, Role.INTEGRATOR, Role.OPERATOR)


@dataclass(frozen=True)
class Registry:
    """What these addresses work with."""

    counter: Counter
    is_gated: bool = True
    lowest: Lowest = Lowest()
    level_days: int = 60
    first_week_limits: Limits = Limits()

    def routes(self) -> list[Route]:
        operator = (Role.OPERATOR,)
        system = "/v1/subsystems/{instance}/{member_class}/{agency}/{subsystem}"
        return [
            Route("/v1/agencies", self._open(self._agencies), methods=["GET"]),
            Route("/v1/agencies/{code}", self._open(self._agency), methods=["GET"]),
            Route("/v1/agencies/{code}", self._act(operator, self._keep_agency, _AGENCY, _MAYBE, in_person=True), methods=["PUT"]),
            Route("/v1/agencies/{code}/close", self._act(operator, self._close_agency, ("on", "successors"), in_person=True), methods=["POST"]),
            Route("/v1/mergers/preview", self._act(operator, self._preview, ("from", "into", "on"), in_person=True), methods=["POST"]),
            Route("/v1/mergers", self._act(operator, self._merge, ("from", "into", "on", "reason"), in_person=True), methods=["POST"]),
            Route("/v1/first-weeks", self._act((*KEEPERS, Role.AUDITOR), self._first_weeks, None), methods=["GET"]),
            Route("/v1/subsystems", self._act((*KEEPERS, Role.AUDITOR), self._subsystems, None), methods=["GET"]),
            Route(system, self._act((*KEEPERS, Role.AUDITOR), self._subsystem, None), methods=["GET"]),
            Route(system, self._act(KEEPERS, self._register, ("title", "title_en")), methods=["PUT"]),
            Route(system + "/security-level", self._act((*KEEPERS, Role.AUDITOR), self._level, None), methods=["GET"]),
            Route(system + "/security-level", self._act(KEEPERS, self._record_level, _LEVEL, _MAYBE_LEVEL, largest=LARGEST_LEVEL), methods=["PUT"]),
            Route(system + "/security-level/file", self._level_file, methods=["GET"]),
            Route(system + "/close", self._act(KEEPERS, self._close, ("reason",)), methods=["POST"]),
            Route(system + "/keys/question", self._act(KEEPERS, self._ask, ("jwk", "environment")), methods=["POST"]),
            Route(system + "/keys", self._act(KEEPERS, self._add_key, ("question", "proof"), ("overlap_days", "valid_to")), methods=["POST"]),
            Route(system + "/keys/{kid}/revoke", self._act(KEEPERS, self._revoke, ("environment", "reason")), methods=["POST"]),
        ]  # fmt: skip

    def _open(self, act: Any) -> Any:
        async def answer(request: Request) -> Response:
            return json_answer(await run_in_threadpool(act, request), is_public=True)

        return answer

    def _act(
        self, roles: tuple[Role, ...], act: Any, fields: tuple[str, ...] | None, maybe: tuple[str, ...] = (), *, in_person: bool = False,
        largest: int = LARGEST_BODY,
    ) -> Any:  # fmt: skip
        async def answer(request: Request) -> Response:
            def who() -> Actor:
                return acting.require(request, *roles, in_person=in_person)

            actor = await run_in_threadpool(who)
            sent: Any = {}
            if fields is not None:
                sent = await read_json(request, largest)
                if not isinstance(sent, dict) or not set(fields) <= set(sent) <= {*fields, *maybe}:
                    named = ", ".join((*fields, *(f"{name}?" for name in maybe)))
                    raise Unprocessable(f"Expected an object of {named}.", vi=f"Cần một đối tượng gồm {named}.")
            return json_answer(await run_in_threadpool(act, actor, request, sent))

        return answer

    # Agencies

    def _agencies(self, _: Request) -> Any:
        with self.counter.connection() as connection:
            known = tree.read(connection)
        return {"agencies": [_agency(agency) for agency in known.by_code.values()]}

    def _agency(self, request: Request) -> Any:
        with self.counter.connection() as connection:
            known = tree.read(connection)
        try:
            code = agency_code(request.path_params["code"])
        except BadRequest:  # what is no code is nobody's
            code = ""
        found = known.by_code.get(code)
        if found is None:
            raise NotFound("No such agency is registered.", vi="Chưa đăng ký cơ quan này.")
        today = vietnam_date(self.counter.clock())
        return {
            **_agency(found),
            "above": list(known.above(code)),
            "below": [each.code for each in known.below(code)],
            "is_open": found.is_open(today),
            "replaced_by": list(known.replaced_by(code, today)) if known.is_closed(code, today) else [],
        }

    def _keep_agency(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        valid_to = sent.get("valid_to")
        agency = Agency(
            agency_code(request.path_params["code"]),
            text_of(sent, "name"),
            text_of(sent, "kind"),
            agency_code(text_of(sent, "parent")) if sent.get("parent") else "",
            _day(sent, "valid_from"),
            None if valid_to is None else _day(sent, "valid_to"),
        )
        agencies.keep(self.counter.workshop, actor, agency)
        return _agency(agency)

    def _close_agency(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        code = agency_code(request.path_params["code"])
        agencies.close(self.counter.workshop, actor, code, _day(sent, "on"), [agency_code(each) for each in _texts(sent, "successors")])
        return {"code": code}

    def _preview(self, _: Actor, __: Request, sent: Mapping[str, Any]) -> Any:
        return agencies.preview(self.counter.workshop, _texts(sent, "from"), text_of(sent, "into"), _day(sent, "on"))

    def _merge(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        document = self._preview(actor, request, sent)
        proposal = approving.propose(self.counter.workshop, agencies.MERGE, actor, document, text_of(sent, "reason"), text_of(sent, "into"))
        return proposal_document(proposal)

    # Subsystems

    def _first_weeks(self, actor: Actor, _: Request, __: Mapping[str, Any]) -> Any:
        with self.counter.connection() as connection:
            found = first_week.weeks(connection, vietnam_date(self.counter.clock()), self.first_week_limits)
        return {"first_weeks": [first_week.document(week) for week in found if _sees(actor, week.agency)]}

    def _subsystems(self, actor: Actor, _: Request, __: Mapping[str, Any]) -> Any:
        today = vietnam_date(self.counter.clock())
        with self.counter.connection() as connection:
            known = [each for each in systems.everything(connection).values() if _sees(actor, each.agency)]
            keys = systems.keys(connection)
            found = level_standings(connection, self.counter.workshop.contracts, [each.identifier for each in known], self.lowest, today)
            expiring = {(each.identifier, each.kid): each for each in registering.expiring(connection, today)}
        return {
            "subsystems": [
                {
                    "identifier": each.identifier, "agency": each.agency, "title": each.title_vi, "title_en": each.title_en,
                    "is_active": each.is_active, "security_level": level_document(found[each.identifier], self.level_days),
                    "keys": [_key(key, (each.identifier, key.kid) in expiring) for key in keys if key.identifier == each.identifier],
                }
                for each in known
            ]
        }  # fmt: skip

    def _subsystem(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        name = _identifier(request)
        for each in self._subsystems(actor, request, sent)["subsystems"]:
            if each["identifier"] == name:
                return each
        raise NotFound("There is no such subsystem of yours.", vi="Không có hệ thống này của cơ quan bạn.")

    def _register(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        kept = registering.register(self.counter.workshop, actor, _identifier(request), text_of(sent, "title"), text_of(sent, "title_en"))
        return {"identifier": kept.identifier}

    def _standing(self, connection: Connection, identifier: str) -> LevelStanding:
        return level_standing(connection, self.counter.workshop.contracts, identifier, self.lowest, vietnam_date(self.counter.clock()))

    def _level(self, actor: Actor, request: Request, _: Mapping[str, Any]) -> Any:
        name = _identifier(request)
        with self.counter.connection() as connection:
            self._seen(connection, actor, name)
            told = level_document(self._standing(connection, name), self.level_days)
            kept = levels.history(connection, name)
        history = [
            {**vars(each.approved), "has_file": each.has_file, "by": each.by, "at": each.at, "ended_at": each.ended_at} for each in kept
        ]
        return {"subsystem": name, **told, "history": history}

    def _record_level(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        name, content = _identifier(request), None
        if sent.get("content") is not None:
            try:
                content = base64.b64decode(str(sent["content"]), validate=True)
            except ValueError as error:
                raise Unprocessable("`content`: expected the file in base64.", vi="`content`: cần tệp ở dạng base64.") from error
        level = sent["level"]
        if isinstance(level, bool) or not isinstance(level, int):
            raise Unprocessable("`level`: expected a number.", vi="`level`: cần một số.")
        approved = ApprovedLevel(
            level, text_of(sent, "decision"), text_of(sent, "approved_by"), _day(sent, "approved_on"), _day(sent, "valid_until"),
            str(sent.get("file_name") or "")[:200], str(sent.get("sha256") or "").lower(),
        )  # fmt: skip
        registering.record_level(self.counter.workshop, actor, name, approved, content)
        with self.counter.connection() as connection:
            return {"subsystem": name, **level_document(self._standing(connection, name), self.level_days)}

    async def _level_file(self, request: Request) -> Response:
        return await run_in_threadpool(self.give_level_file, request)

    def give_level_file(self, request: Request) -> Response:
        """The file that shows the approval, as it was sent; a download, whatever it says it is."""
        actor = acting.require(request, *KEEPERS, Role.AUDITOR)
        name = _identifier(request)
        with self.counter.connection() as connection:
            self._seen(connection, actor, name)
            found = levels.file_of(connection, name)
        if found is None:
            raise NotFound("Only the digest of the file is here.", vi="Nền tảng chỉ giữ mã băm của tệp.")
        named = quote(found[0] or "cap-do")
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{named}",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return Response(found[1], media_type="application/octet-stream", headers=headers)

    def _seen(self, connection: Connection, actor: Actor, name: str) -> None:
        """Raises NotFound for a subsystem the actor may not see, the same as for none."""
        known = None if "\x00" in name else systems.find(connection, name)
        if known is None or not _sees(actor, known.agency):
            raise NotFound("There is no such subsystem of yours.", vi="Không có hệ thống này của cơ quan bạn.")

    def _close(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        registering.close(self.counter.workshop, actor, _identifier(request), text_of(sent, "reason"))
        return {"identifier": _identifier(request)}

    def _ask(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        question, until = registering.ask_proof(
            self.counter.workshop,
            actor,
            _identifier(request),
            sent["jwk"],
            _environment(text_of(sent, "environment")),
            is_gated=self.is_gated,
            lowest=self.lowest,
        )
        return {"question": question, "audience": self.counter.public_url, "until": until}

    def _add_key(self, actor: Actor, _: Request, sent: Mapping[str, Any]) -> Any:
        days = sent.get("overlap_days")
        if days is not None and (isinstance(days, bool) or not isinstance(days, int)):
            raise Unprocessable("`overlap_days`: expected a number of days.", vi="`overlap_days`: cần số ngày.")
        last = None if sent.get("valid_to") is None else _day(sent, "valid_to")
        key = registering.add_key(
            self.counter.workshop, actor, text_of(sent, "question"), text_of(sent, "proof"), self.counter.public_url,
            overlap_days=days, valid_to=last,
        )  # fmt: skip
        return _key(key, False)

    def _revoke(self, actor: Actor, request: Request, sent: Mapping[str, Any]) -> Any:
        registering.revoke_key(
            self.counter.workshop, actor, _identifier(request), _environment(text_of(sent, "environment")), request.path_params["kid"],
            text_of(sent, "reason"),
        )  # fmt: skip
        return {"kid": request.path_params["kid"]}


_AGENCY = ("name", "kind", "valid_from")
_MAYBE = ("parent", "valid_to")
_LEVEL = ("level", "decision", "approved_by", "approved_on", "valid_until")
_MAYBE_LEVEL = ("file_name", "content", "sha256")


def _agency(agency: Agency) -> dict[str, Any]:
    return {
        "code": agency.code, "name": agency.name, "kind": agency.kind, "parent": agency.parent, "valid_from": agency.valid_from,
        "valid_to": agency.valid_to, "successors": list(agency.successors),
    }  # fmt: skip


def _key(key: KeptKey, is_expiring: bool) -> dict[str, Any]:
    return {
        "kid": key.kid, "thumbprint": key.thumbprint, "environment": key.environment, "valid_from": key.valid_from, "valid_to": key.valid_to,
        "is_expiring": is_expiring,
    }  # fmt: skip


def _sees(actor: Actor, agency: str) -> bool:
    return actor.is_of(agency) or (not actor.subsystem and actor.may(Role.OPERATOR, Role.AUDITOR))


def _identifier(request: Request) -> str:
    return "/".join(request.path_params[part] for part in ("instance", "member_class", "agency", "subsystem"))


def _environment(text: str) -> str:
    if text not in (PRODUCTION, SANDBOX):
        raise BadRequest(f"Expected {PRODUCTION} or {SANDBOX}.", vi="Cần `production` hoặc `sandbox`.")
    return text


def _day(sent: Mapping[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(text_of(sent, name))
    except ValueError as error:
        raise Unprocessable(f"`{name}`: expected a date such as 2026-07-01.", vi=f"`{name}`: cần ngày, ví dụ 2026-07-01.") from error


def _texts(sent: Mapping[str, Any], name: str) -> list[str]:
    value = sent[name]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value) or len(value) > 200:
        raise Unprocessable(f"`{name}`: expected a list of codes.", vi=f"`{name}`: cần danh sách mã.")
    return value

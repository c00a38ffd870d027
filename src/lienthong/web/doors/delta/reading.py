"""The answers about one table: its version, its metadata, the files of its rows, the files of its changes, the files each version brought and took away."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from lienthong.access import Operation
from lienthong.access.share_tokens import new_grant_id
from lienthong.errors import BadRequest
from lienthong.ledger import Entry, Event
from lienthong.sharing.filters import LARGEST_INTEGER, read_instant, read_known
from lienthong.sharing.rights import Right
from lienthong.sharing.shares.files import FileStore, Made, Part
from lienthong.sharing.shares.hints import enough, fitting
from lienthong.sharing.shares.listing import Table
from lienthong.sharing.shares.making import brought_by, changes_in, rows_at, taken_by
from lienthong.sharing.shares.shape import View, view_of
from lienthong.store import Connection, shares
from lienthong.store.answers import VersionFacts, newest_version, version_facts, version_known_at
from lienthong.store.shares import Grant
from lienthong.web.asking import request_bytes
from lienthong.web.doors.delta import telling
from lienthong.web.doors.delta.forms import lines
from lienthong.web.doors.delta.reception import DOOR, Caller, Reception

LARGEST_BODY = 262_144
MOST_VERSIONS = 500  # of one answer about changes; a file each
Tell = Callable[[str, telling.Line, Part, telling.Line], telling.Line]  # form, signed address, file, version and instant → line
_LOOSE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(.*)", re.DOTALL)  # the protocol's `yyyy-[m]m-[d]d hh:mm:ss`


class Query(msgspec.Struct):
    """The body of a query; what we do not know in it is let be."""

    predicateHints: Sequence[str] | None = None  # noqa: N815 # the protocol's words
    jsonPredicateHints: str | None = None  # noqa: N815 # as above
    limitHint: int | None = None  # noqa: N815 # as above
    version: int | None = None
    timestamp: str | None = None
    startingVersion: int | None = None  # noqa: N815 # as above
    endingVersion: int | None = None  # noqa: N815 # as above


@dataclass(frozen=True)
class Reading:
    """Answers about tables. `url` is where this door is."""

    reception: Reception
    files: FileStore
    url: str
    minutes: int

    def version(self, request: Request) -> Response:
        """`GET …/version`: the newest, or the earliest from an instant on."""
        caller = self.reception.who(request)
        table = self.reception.table(caller, request)
        said = read_known(request.query_params.multi_items(), ("startingTimestamp",))
        with self.reception.counter.connection() as connection:
            number = newest_version(connection, table.contract.id) or 0
            if "startingTimestamp" in said:
                number = _version_from(
                    version_facts(connection, table.contract.id), _instant("startingTimestamp", said["startingTimestamp"])
                )
        return lines((), number)

    def metadata(self, request: Request) -> Response:
        """`GET …/metadata`: what the caller would see of the table. No data leaves, so nothing is charged."""
        caller = self.reception.who(request)
        table = self.reception.table(caller, request)
        read_known(request.query_params.multi_items(), ())
        form = telling.form_of(request)
        view = view_of(table.contract, self.reception.sight(request, caller, table))
        with self.reception.counter.connection() as connection:
            number = newest_version(connection, table.contract.id) or 0
        return lines((telling.protocol(form), telling.metadata(form, view.metadata(number, table.share))), number, form)

    def query(self, request: Request, body: bytes) -> Response:
        """`POST …/query`: signed addresses of the files that hold a version's rows; with `startingVersion`, of what each version since did to them."""
        caller = self.reception.who(request)
        table = self.reception.table(caller, request)
        query, form = _read(body), telling.form_of(request)
        if query.startingVersion is not None:
            return self._followed(request, caller, table, _followed_span(query), form)
        right = self.reception.authorise(request, caller, table, Operation.BULK)
        view = view_of(table.contract, right)
        counter = self.reception.counter
        with counter.connection() as connection:
            version = self._version(connection, table, query)
            facts = _facts(version_facts(connection, table.contract.id), version)
        made = Made("", ()) if version == 0 else self.files.get(rows_at(counter.database_url, view, version))
        parts = fitting(made.parts, query.predicateHints or (), query.jsonPredicateHints)
        has_hints = bool(query.predicateHints or query.jsonPredicateHints)
        if (
            query.limitHint is not None and not has_hints
        ):  # rows that do not fit a hint count for nothing: only the client knows how many do
            parts = enough(parts, query.limitHint)
        grant = self._grant(caller, table, right, view, Operation.BULK, version, version)
        stamp = {"version": version, "timestamp": _milliseconds(facts)} if query.version is not None or query.timestamp is not None else {}
        told = [telling.protocol(form), telling.metadata(form, view.metadata(version, table.share, size=made.size, files=len(made.parts)))]
        for part in parts:
            told.append(telling.rows_in(form, self._signed(grant, made.name, part.name), part, _milliseconds(facts), stamp))
        is_whole = not view.ask.conditions and len(parts) == len(made.parts)
        self._record(request, right, table, grant, view, parts=len(parts), rows=sum(p.rows for p in parts), is_whole=is_whole)
        return lines(told, version, form)

    def changes(self, request: Request) -> Response:
        """`GET …/changes`: signed addresses of the files that hold what each version changed."""
        caller = self.reception.who(request)
        table = self.reception.table(caller, request)
        said = read_known(
            request.query_params.multi_items(),
            ("startingVersion", "startingTimestamp", "endingVersion", "endingTimestamp", "includeHistoricalMetadata"),
        )
        url = self.reception.counter.database_url

        def sets(view: View, facts: VersionFacts) -> list[tuple[Made, Tell]]:
            return [(self.files.get(changes_in(url, view, facts.version, is_first_fill=facts.is_first_fill)), telling.changes_in)]

        return self._span_told(request, caller, table, said, telling.form_of(request), sets)

    def _followed(self, request: Request, caller: Caller, table: Table, said: Mapping[str, str], form: str) -> Response:
        """What each version did, as files it brought and files it took away: how Spark follows a table without its change data feed."""
        url = self.reception.counter.database_url

        def sets(view: View, facts: VersionFacts) -> list[tuple[Made, Tell]]:
            brought = self.files.get(brought_by(url, view, facts.version, is_first_fill=facts.is_first_fill))
            if facts.is_first_fill:
                return [(brought, telling.brought_in)]
            taken = self.files.get(taken_by(url, view, facts.version, is_first_fill=False))
            return [(taken, telling.taken_in), (brought, telling.brought_in)]

        return self._span_told(request, caller, table, said, form, sets)

    def _span_told(
        self, request: Request, caller: Caller, table: Table, said: Mapping[str, str], form: str,
        sets: Callable[[View, VersionFacts], list[tuple[Made, Tell]]],
    ) -> Response:  # fmt: skip
        """The versions asked for, each told by the files of its sets."""
        counter = self.reception.counter
        with counter.connection() as connection:
            known = version_facts(connection, table.contract.id)
        first, last = _span(said, known)
        right = self.reception.authorise(request, caller, table, Operation.CHANGES)
        view = view_of(table.contract, right)
        grant = self._grant(caller, table, right, view, Operation.CHANGES, first, last)
        told = [telling.protocol(form), telling.metadata(form, view.metadata(first, table.share))]
        rows = 0
        for facts in sorted(known, key=lambda f: f.version):
            if first <= facts.version <= last:
                stamp = {"timestamp": _milliseconds(facts), "version": facts.version}
                for made, tell in sets(view, facts):
                    told += [tell(form, self._signed(grant, made.name, part.name), part, stamp) for part in made.parts]
                    rows += made.rows
        self._record(request, right, table, grant, view, parts=len(told) - 2, rows=rows, is_whole=False)
        return lines(told, first, form)

    def _version(self, connection: Connection, table: Table, query: Query) -> int:
        newest = newest_version(connection, table.contract.id) or 0
        if query.endingVersion is not None:
            raise BadRequest("`endingVersion` goes with `startingVersion`.", vi="`endingVersion` phải đi cùng `startingVersion`.")
        if query.version is not None and query.timestamp is not None:
            raise BadRequest("Give `version` or `timestamp`, not both.", vi="Chỉ một trong `version`, `timestamp`.")
        if query.timestamp is not None:
            found = version_known_at(connection, table.contract.id, _instant("timestamp", query.timestamp))
            if found == 0:
                raise BadRequest("Nothing was published yet at `timestamp`.", vi="Tại `timestamp` chưa có phiên bản nào.")
            return found
        if query.version is None:
            return newest
        if not 1 <= query.version <= newest:
            raise BadRequest(f"`version`: expected 1 to {newest}, found {query.version}.", vi=f"`version`: từ 1 đến {newest}.")
        return query.version

    def _grant(
        self, caller: Caller, table: Table, right: Right, view: View, operation: Operation, version: int, last: int
    ) -> Grant:  # fmt: skip
        now = self.reception.counter.clock()
        return Grant(
            new_grant_id(), caller.profile, caller.name, caller.token, caller.got_with, right.purpose, right.official, right.agreement,
            right.legal_basis, table.contract.id, operation.value, version, last, view.digest, view.fields, now,
            now + timedelta(minutes=self.minutes),
        )  # fmt: skip

    def _signed(self, grant: Grant, name: str, part: str) -> dict[str, Any]:
        """The address of a file, good for its grant alone and until it ends; and its id, the same in every answer."""
        until = int(grant.expires_at.timestamp())
        code = self.reception.key.sign(grant.grant_id, f"{name}/{part}", until)
        return {
            "url": f"{self.url}/files/{grant.grant_id}/{name}/{part}?until={until}&code={code}",
            "id": f"{name}-{part.removesuffix('.parquet')}",
            "expirationTimestamp": until * 1000,
        }

    def _record(
        self, request: Request, right: Right, table: Table, grant: Grant, view: View, *, parts: int, rows: int, is_whole: bool
    ) -> None:  # fmt: skip
        """The grant and its entry, before any address of it leaves."""
        counter = self.reception.counter
        scope = {"scope": "whole" if is_whole else "part"} if table.contract.is_about_persons else {}
        with counter.connection() as connection:
            shares.add_grant(connection, grant)
            entry = Entry(
                at=grant.made_at,
                event=Event.ANSWER_BULK_BEGUN,
                caller=right.caller,
                official=right.official,
                purpose=right.purpose,
                legal_basis=right.legal_basis,
                agreement=right.agreement,
                dataset=table.contract.id,
                version=grant.last_version,
                fields=view.fields,
                request_digest=hashlib.sha256(request_bytes(request)).hexdigest(),
                outcome="begun",
                details={
                    "format": "delta",
                    "door": DOOR,
                    "grant": grant.grant_id,
                    "files": parts,
                    "rows": rows,
                    **_profile(grant),
                    **scope,
                },
            )
            counter.append(entry, connection)


def _profile(grant: Grant) -> dict[str, str]:
    return {} if grant.profile is None else {"profile": grant.profile}


def _read(body: bytes) -> Query:
    try:
        query = msgspec.json.decode(body or b"{}", type=Query)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(
            "The body is no query of this protocol.",
            hint="See /openapi.json for its shape.",
            hint_vi="Cấu trúc đúng: xem /openapi.json.",
            vi="Nội dung không phải là truy vấn Delta Sharing.",
        ) from error
    if query.limitHint is not None and not 0 <= query.limitHint <= LARGEST_INTEGER:
        raise BadRequest("`limitHint`: expected a number from 0 on.", vi="`limitHint`: cần số từ 0.")
    return query


def _followed_span(query: Query) -> Mapping[str, str]:
    """The span of a query that follows a table, as a request for changes says it. Raises BadRequest."""
    if query.version is not None or query.timestamp is not None:
        raise BadRequest(
            "Give `startingVersion`, or `version` or `timestamp`, not both.", vi="Chỉ một trong `startingVersion`, `version`, `timestamp`."
        )
    said = {"startingVersion": query.startingVersion, "endingVersion": query.endingVersion}
    return {name: str(number) for name, number in said.items() if number is not None}


def _span(said: Mapping[str, str], known: Sequence[VersionFacts]) -> tuple[int, int]:
    """The versions of an answer about changes, both inclusive. Raises BadRequest."""
    newest = max((facts.version for facts in known), default=0)
    for one, other in (("startingVersion", "startingTimestamp"), ("endingVersion", "endingTimestamp")):
        if one in said and other in said:
            raise BadRequest(f"Give `{one}` or `{other}`, not both.", vi=f"Chỉ một trong `{one}`, `{other}`.")
    if said.get("includeHistoricalMetadata", "false").lower() not in ("true", "false"):
        raise BadRequest("`includeHistoricalMetadata`: expected true or false.", vi="`includeHistoricalMetadata`: true hoặc false.")
    if "startingVersion" in said:
        first = max(_number("startingVersion", said["startingVersion"]), 1)
    elif "startingTimestamp" in said:
        first = _version_from(known, _instant("startingTimestamp", said["startingTimestamp"]))
    else:
        raise BadRequest("`startingVersion` or `startingTimestamp` is needed.", vi="Cần `startingVersion` hoặc `startingTimestamp`.")
    last = newest
    if "endingVersion" in said:
        last = _number("endingVersion", said["endingVersion"])
    elif "endingTimestamp" in said:
        until = _instant("endingTimestamp", said["endingTimestamp"])
        last = max((facts.version for facts in known if facts.known_at <= until), default=0)
    if first > newest or last > newest or last < first:
        raise BadRequest(
            f"Versions go from 1 to {newest}, the end not before the start.", vi=f"Phiên bản từ 1 đến {newest}, cuối không trước đầu."
        )
    if last - first >= MOST_VERSIONS:
        raise BadRequest(
            f"At most {MOST_VERSIONS} versions at a time.",
            hint="Give `endingVersion`.",
            hint_vi="Hãy nêu `endingVersion`.",
            vi=f"Mỗi lần nhiều nhất {MOST_VERSIONS} phiên bản.",
        )
    return first, last


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise BadRequest(f"`{name}`: expected a version, found `{text[:60]}`.", vi=f"`{name}`: cần số phiên bản.")
    return int(text)


def _instant(name: str, text: str) -> datetime:
    found = _LOOSE.fullmatch(text.strip())
    if found is not None:
        text = f"{found[1]}-{found[2]:0>2}-{found[3]:0>2}{found[4]}"
    return read_instant(name, text)


def _version_from(known: Sequence[VersionFacts], instant: datetime) -> int:
    """The earliest version known at an instant or after. Raises BadRequest when there is none."""
    later = [facts.version for facts in known if facts.known_at >= instant]
    if not later:
        raise BadRequest("No version is as new as that.", vi="Không có phiên bản nào từ thời điểm ấy.")
    return min(later)


def _facts(known: Sequence[VersionFacts], version: int) -> VersionFacts | None:
    return next((facts for facts in known if facts.version == version), None)


def _milliseconds(facts: VersionFacts | None) -> int:
    return 0 if facts is None else int(facts.known_at.timestamp() * 1000)

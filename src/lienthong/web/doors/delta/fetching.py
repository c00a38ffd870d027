"""`GET …/files/{grant}/{set}/{part}`: a file at its signed address. It carries no token: the address names the grant, and its right is decided anew.

Parts of a file may be read in any order and again and again until the address ends. The first read of a file under a grant is in the ledger
before its first byte; what is read of the same file under the same grant after that is the same use and is not told again.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from lienthong.access import Operation
from lienthong.errors import Denied
from lienthong.ledger import Entry, Event
from lienthong.sharing.formats import PARQUET
from lienthong.sharing.shares.files import FileStore, Made, Making
from lienthong.sharing.shares.listing import Table
from lienthong.sharing.shares.making import (
    brought_by,
    brought_name,
    changes_in,
    changes_name,
    rows_at,
    rows_name,
    taken_by,
    taken_name,
)
from lienthong.sharing.shares.shape import View, view_of
from lienthong.store import shares
from lienthong.store.answers import version_facts
from lienthong.store.shares import Grant
from lienthong.web.doors.delta.reception import DOOR, Reception

LONGEST_UNTIL = 12  # digits
CHUNK_BYTES = 1 << 20
OF_A_VERSION = ((changes_name, changes_in), (brought_name, brought_by), (taken_name, taken_by))


@dataclass(frozen=True)
class Fetching:
    """Gives files."""

    reception: Reception
    files: FileStore

    def fetch(self, request: Request) -> Response:
        """The file or a range of it. Raises Denied, in the same words for an address that is false and one that is over."""
        named = request.path_params
        name, part = named["name"], named["part"]
        grant = self._granted(request, named["grant"], f"{name}/{part}")
        table, right, refusal = self.reception.standing_right(grant, self.reception.authoriser.address(request))
        if table is None or right is None:
            raise self._refused(grant, "agreement_ended" if refusal is None else refusal.rule)
        view = view_of(table.contract, right)
        if view.digest != grant.right_digest:
            raise self._refused(grant, "right_changed")
        made = self._made(view, grant, name)
        found = next((each for each in made.parts if each.name == part), None)
        if found is None:
            raise _false()
        path = self.files.path(name, part)
        if request.method == "GET":
            self._record(grant, table, name, part, rows=found.rows, size=found.size)
        headers = {"Cache-Control": "private, no-store", "ETag": f'"{name}-{part}"', "X-Content-Type-Options": "nosniff"}
        answer = FileResponse(path, media_type=PARQUET, headers=headers, stat_result=path.stat())
        answer.chunk_size = CHUNK_BYTES
        return answer

    def _granted(self, request: Request, grant_id: str, file: str) -> Grant:
        until, code = request.query_params.get("until", ""), request.query_params.get("code", "")
        is_number = until.isascii() and until.isdigit() and len(until) <= LONGEST_UNTIL
        if not is_number or not self.reception.key.is_signed(grant_id, file, int(until), code):
            raise _false()
        now = self.reception.counter.clock()
        with self.reception.counter.connection() as connection:
            found = shares.grant_named(connection, grant_id, now)
        if found is None:
            raise _false()
        grant, stands = found
        if int(until) <= now.timestamp():
            raise self._refused(grant, "address_over")
        taken_back = grant.token is not None and self.reception.services.tokens.is_taken_back(
            grant.token, grant.got_with or "", grant.subsystem
        )
        if not stands or taken_back:
            raise self._refused(grant, "recipient_revoked")
        return grant

    def _made(self, view: View, grant: Grant, name: str) -> Made:
        """The set a grant's address names; made again, the same, when it was cleared away."""
        kept = self.files.kept(name)
        return kept if kept is not None else self.files.get(self._making(view, grant, name))

    def _making(self, view: View, grant: Grant, name: str) -> Making:
        url = self.reception.counter.database_url
        if grant.operation == Operation.BULK and rows_name(view, grant.version) == name:
            return rows_at(url, view, grant.version)
        if grant.operation == Operation.CHANGES:
            with self.reception.counter.connection() as connection:
                known = version_facts(connection, grant.dataset_id, after=grant.version - 1)
            for facts in known:
                for name_of, made_of in OF_A_VERSION if facts.version <= grant.last_version else ():
                    if name_of(view, facts.version) == name:
                        return made_of(url, view, facts.version, is_first_fill=facts.is_first_fill)
        raise _false()

    def _record(self, grant: Grant, table: Table, name: str, part: str, *, rows: int, size: int) -> None:
        counter, at = self.reception.counter, self.reception.counter.clock()
        with counter.connection() as connection:
            if not shares.note_read(connection, grant.grant_id, f"{name}/{part}", at):
                return
            details = {"door": DOOR, "grant": grant.grant_id, "file": f"{name}-{part}", "rows": rows, "bytes": size}
            entry = Entry(
                at=at, event=Event.SHARE_FILE_READ, caller=grant.subsystem, official=grant.official, purpose=grant.purpose,
                legal_basis=grant.legal_basis, agreement=grant.agreement, dataset=table.contract.id, version=grant.last_version,
                fields=grant.fields, outcome="given", details=details,
            )  # fmt: skip
            counter.append(entry, connection)

    def _refused(self, grant: Grant, rule: str) -> Denied:
        """A refusal of an address that was once good: it is in the ledger, with whom it was given to."""
        counter = self.reception.counter
        counter.append(
            Entry(
                at=counter.clock(), event=Event.REQUEST_DENIED, caller=grant.subsystem, official=grant.official, purpose=grant.purpose,
                agreement=grant.agreement, dataset=grant.dataset_id, outcome=rule,
                details={"operation": grant.operation, "door": DOOR, "grant": grant.grant_id},
            )
        )  # fmt: skip
        return _false(rule)


def _false(rule: str = "address_not_good") -> Denied:
    return Denied(
        "This address opens no file, or no longer.",
        hint="Ask for the table again: its answer has new addresses.",
        hint_vi="Hãy hỏi lại bảng: câu trả lời có địa chỉ mới.",
        vi="Địa chỉ này không mở được tệp, hoặc không còn mở được.",
        rule=rule,
    )

"""`lienthong proposal …`: corrections proposed to the agency that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import out, say, show

if TYPE_CHECKING:
    from lienthong.access import Actor
    from lienthong.pipeline.writing import Manner
    from lienthong.store.proposals import Proposal

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def listed(
    agency: Annotated[str, typer.Option(help="cơ quan quyết định · the agency that decides")] = "",
    state: Annotated[str, typer.Option(help="open | accepted | refused | withdrawn | all")] = "open",
    overdue: Annotated[bool, typer.Option("--overdue", help="chỉ đề nghị quá hạn · only those past their day")] = False,
    limit: int = 50,
) -> None:
    """Các đề nghị sửa và hạn trả lời · corrections proposed, and until when they are to be decided."""
    from lienthong.clock import vietnam_date
    from lienthong.store import proposals as store

    place = workshop()
    today = vietnam_date(place.clock())
    with place.database.connect() as connection:
        found = store.listed(
            connection, owner=agency or None, state=None if state == "all" else state, overdue_on=today if overdue else None, limit=limit
        )
    rows = [
        (p.proposal, p.owner, p.dataset_id, p.kind, ", ".join(p.values), p.by_agency or say("công dân", "citizen"), p.due_on,
         say("quá hạn", "overdue") if p.is_overdue(today) else p.state)
        for p in found
    ]  # fmt: skip
    show(
        (("Số", "No"), ("Cơ quan quyết định", "Decides"), ("Bộ dữ liệu", "Dataset"), ("Loại", "Kind"), ("Trường", "Fields"), ("Từ", "From"),
         ("Hạn", "Due"), ("Tình trạng", "State")),
        rows,
    )  # fmt: skip


@app.command("show")
def shown(proposal: int) -> None:
    """Một đề nghị, bên cạnh giá trị đang có · one proposal beside what stands."""
    from lienthong.pipeline import proposing

    place = workshop()
    found = _one(proposal)
    version, standing = proposing.standing_of(place, place.contracts[found.dataset_id], found)
    out.print(f"{found.proposal} · {found.dataset_id} · {found.key} · {say('phiên bản', 'version')} {version} · {found.state}")
    out.print(f"{say('Lý do', 'Reason')}: {found.reason}")
    for name, value in found.evidence.items():
        out.print(f"{name}: {value}")
    show(
        (("Trường", "Field"), ("Đang có", "Stands"), ("Đề nghị", "Proposed")),
        [(name, None if standing is None else standing.get(name), value) for name, value in found.values.items()],
    )


@app.command("accept")
def accept(
    proposal: int,
    version: Annotated[int, typer.Option(help="phiên bản bản ghi đã xem · the record's version you looked at (`show`)")],
    reason: str = "",
) -> None:
    """Chấp nhận: ghi thành việc của cơ quan quyết định · accept: it becomes the deciding agency's own act."""
    from lienthong.errors import Conflict
    from lienthong.pipeline import proposing

    place = workshop()
    found = _one(proposal)
    written = proposing.accept(
        place, place.contracts[found.dataset_id], found, _actor(found), _manner(found), version=version, words=reason
    )  # fmt: skip
    if written.outcome == proposing.CONFLICT:
        raise Conflict(
            f"The record is at version {written.version} now: look again.", vi=f"Bản ghi đã sang phiên bản {written.version}: hãy xem lại."
        )
    if written.outcome == proposing.REFUSED:
        show(
            (("Trường", "Field"), ("Cần", "Expected")),
            [(i["column"], say(i["expected_vi"], i["expected_en"])) for v in written.verdicts for i in v["issues"]],
        )
        raise typer.Exit(1)
    out.print(say(f"Đã ghi, phiên bản {written.dataset_version}.", f"Written, version {written.dataset_version}."))


@app.command("refuse")
def refuse(proposal: int, reason: Annotated[str, typer.Option(help="lý do · why")]) -> None:
    """Từ chối, nêu lý do · refuse, with a reason."""
    from lienthong.pipeline import proposing

    place = workshop()
    found = _one(proposal)
    proposing.refuse(place, found, _actor(found), _manner(found), reason)
    out.print(say(f"Đã từ chối đề nghị {proposal}.", f"Proposal {proposal} refused."))


def _one(number: int) -> Proposal:
    from lienthong.errors import NotFound
    from lienthong.store import proposals as store

    with workshop().database.connect() as connection:
        found = store.find(connection, number)
    if found is None:
        raise NotFound(
            f"There is no proposal {number}.",
            hint="lienthong proposal list shows them.",
            vi=f"Không có đề nghị {number}.",
            hint_vi="lienthong proposal list liệt kê các đề nghị.",
        )
    return found


def _actor(found: Proposal) -> Actor:
    """At the terminal a person acts for the agency that decides."""
    from lienthong.access import Actor, Role

    return Actor(who(), found.owner, frozenset({Role.DATA_OFFICER}))


def _manner(found: Proposal) -> Manner:
    from lienthong.ledger import subject_hash
    from lienthong.pipeline.writing import Manner
    from lienthong.web.keys import subject_key

    return Manner(subject=subject_hash(subject_key(settings()), found.dataset_id, found.key))

"""`lienthong privacy …`: breach files, impact files, requests of persons: what is due, what is late, and the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import at, out, say, show

if TYPE_CHECKING:
    from lienthong.pipeline.privacy import Registrar

app = typer.Typer(no_args_is_help=True)
Words = Annotated[str, typer.Option("--words", help="Nội dung · in words")]


def _registrar() -> Registrar:
    from lienthong.pipeline.privacy import registrar_of

    return registrar_of(workshop(), settings())


@app.command("list")
def list_cases(
    overdue: Annotated[bool, typer.Option("--overdue", help="Chỉ việc quá hạn · only what is late")] = False,
    agency: Annotated[str | None, typer.Option(help="Của cơ quan · of an agency")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Cả việc đã xong · also what has ended")] = False,
) -> None:
    """Hồ sơ, yêu cầu về dữ liệu cá nhân, việc đến hạn trước đứng đầu · files and requests, what is due first at the top."""
    from lienthong.access.privacy import TITLES, CaseKind
    from lienthong.store import privacy as store

    place = workshop()
    now = place.clock()
    which = store.Which(agency=agency, is_live=not everything, overdue_at=now if overdue else None)
    with place.database.connect() as connection:
        cases = store.cases(connection, which)
    rows = []
    for case in cases:
        due = case.due()
        late = say("QUÁ HẠN", "LATE") if case.is_overdue(now) else ""
        rows.append(
            (
                case.case,
                say(*TITLES[CaseKind(case.kind)]),
                case.agency,
                case.dataset,
                case.state,
                at(due) if due else "",
                late,
            )
        )
    heads = (
        ("Số", "Case"),
        ("Loại", "Kind"),
        ("Cơ quan", "Agency"),
        ("Dữ liệu", "Dataset"),
        ("Tình trạng", "State"),
        ("Hạn", "Due"),
        ("", ""),
    )
    show(heads, rows)


@app.command("show")
def show_case(case: int) -> None:
    """Một vụ việc và các bước đã làm · one case and its steps."""
    from lienthong.pipeline.privacy import found
    from lienthong.store import privacy as store

    with workshop().database.connect() as connection:
        held = found(connection, case)
        steps = store.steps(connection, case)
    out.print(f"{held.kind} · {held.agency} {held.dataset} · {held.state} · {say('hạn', 'due')} {at(held.act_by)} · {held.legal_basis}", soft_wrap=True)  # fmt: skip
    out.print(str(held.content.get("words", "")), soft_wrap=True, markup=False)
    show((("Lúc", "At"), ("Bước", "Step"), ("Ai", "By"), ("Nội dung", "Words")), [(s.at, s.act, s.by_whom, s.words) for s in steps])  # fmt: skip


@app.command("open")
def open_file(
    kind: Annotated[str, typer.Argument(help="breach | impact")],
    agency: str,
    words: Words,
    dataset: Annotated[str, typer.Option()] = "",
    since: Annotated[str, typer.Option(help="Từ lúc phát hiện hoặc bắt đầu xử lý · from the discovery, or the first processing")] = "",
) -> None:
    """Mở hồ sơ vi phạm (72 giờ) hoặc hồ sơ đánh giá tác động (60 ngày) · open a breach file or an impact file."""
    from lienthong.access.privacy import CaseKind
    from lienthong.errors import BadRequest
    from lienthong.pipeline.privacy import open_case
    from lienthong.sharing.filters import read_instant

    if kind not in (CaseKind.BREACH, CaseKind.IMPACT):
        raise BadRequest(say(f"Loại phải là breach hoặc impact, không phải `{kind}`.", f"Expected breach or impact, found `{kind}`."))
    begins = read_instant("since", since) if since else None
    number = open_case(_registrar(), CaseKind(kind), agency, dataset, {"words": words}, who(), begins_at=begins)
    out.print(say(f"Đã mở hồ sơ {number}.", f"Case {number} is open."))


@app.command("step")
def step(
    case: int,
    act: Annotated[str, typer.Argument(help="note | answer | done | refuse")],
    words: Words,
    law: Annotated[str, typer.Option(help="Căn cứ pháp lý khi từ chối · the law a refusal rests on")] = "",
) -> None:
    """Bước tiếp theo của một vụ việc · the next step of a case."""
    from lienthong.access.privacy import MOVES
    from lienthong.errors import BadRequest
    from lienthong.pipeline.privacy import move

    if act not in MOVES or act == "withdraw":
        raise BadRequest(say("Bước phải là note, answer, done hoặc refuse.", "Expected note, answer, done or refuse."))
    state = move(_registrar(), case, act, who(), words, legal_text=law).state
    out.print(say(f"Vụ việc {case}: {state}.", f"Case {case}: {state}."))

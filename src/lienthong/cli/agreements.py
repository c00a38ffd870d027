"""`lienthong agreement …`, `lienthong access explain`: the life of agreements at the terminal, by the operator or an officer who sits there.

The person is the account at the terminal; `--agency` says for which agency they act, and is in the ledger with their name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.access import STATE_WORDS, STEPS, AccessRequest, Act, Actor, Operation, Register, Role, State
from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import out, say, show
from lienthong.clock import VIETNAM, vietnam_date
from lienthong.errors import BadRequest, NotFound

if TYPE_CHECKING:
    from lienthong.pipeline import Workshop
    from lienthong.pipeline.agreeing import AgreementRules
    from lienthong.store.agreements import Kept

app = typer.Typer(no_args_is_help=True)
access = typer.Typer(no_args_is_help=True)
stops = typer.Typer(no_args_is_help=True)
app.add_typer(stops, name="stop", help="Tạm dừng một bộ dữ liệu · stops of a dataset")
Number = Annotated[str, typer.Argument(metavar="ID", help="Số thỏa thuận · number of the agreement")]
Agency = Annotated[str, typer.Option(help="Cơ quan mà người này thay mặt · the agency acted for")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON")]
ACTS: dict[Act, tuple[str, str]] = {
    Act.GRANT: ("Chấp thuận", "grant a request"),
    Act.REFUSE: ("Từ chối, nêu lý do và văn bản", "refuse it, with reason and text of law"),
    Act.ACTIVATE: ("Cho có hiệu lực khi hệ thống đã có khóa", "put it in force once the subsystem has a key"),
    Act.SUSPEND: ("Tạm dừng", "suspend it"),
    Act.RESUME: ("Cho chạy lại", "resume it"),
    Act.END: ("Kết thúc, nêu cách xử lý bản sao", "end it, saying what becomes of copies"),
    Act.CONFIRM_DESTRUCTION: ("Xác nhận đã xử lý bản sao", "confirm what became of copies"),
    Act.DEMAND_USAGE: ("Yêu cầu báo cáo tình hình sử dụng", "demand a usage report"),
    Act.REPORT_USAGE: ("Báo cáo tình hình sử dụng", "report on usage"),
}


@app.command("list")
def listed(
    state: Annotated[str, typer.Option(help=", ".join(State))] = "",
    dataset: Annotated[str, typer.Option(help="Bộ dữ liệu · dataset")] = "",
    as_json: AsJson = False,
) -> None:
    """Các thỏa thuận · agreements as they stand."""
    from lienthong.store import agreements as store

    if state and state not in [*State]:
        raise BadRequest(f"Expected one of {', '.join(State)}, found `{state}`.")
    with workshop().database.connect() as connection:
        found = store.standing(connection, states=[State(state)] if state else None, dataset=dataset or None)
    if as_json:
        _print([_document(kept) for kept in found])
        return
    headings = (
        ("Số", "Number"),
        ("Bên cung cấp", "Provider"),
        ("Hệ thống", "Consumer"),
        ("Bộ dữ liệu", "Dataset"),
        ("Trạng thái", "State"),
    )
    show(headings, [(kept.id, kept.provider, kept.consumer, kept.dataset, say(*STATE_WORDS[kept.state])) for kept in found])


@app.command("show")
def shown(id: Number, as_json: AsJson = False) -> None:
    """Một thỏa thuận, cả quá trình · one agreement and its whole life."""
    from lienthong.access import missing_parts
    from lienthong.access.life import ACT_NAMES
    from lienthong.access.parts import PARTS, terms_of
    from lienthong.store import agreements as store

    with workshop().database.connect() as connection:
        kept = _found(store.find(connection, id), id)
        steps = store.steps(connection, id)
    if as_json:
        told = [{"step": s.step, "act": s.act, "state": s.state, "by": s.by, "agency": s.agency, "at": s.at.isoformat()} for s in steps]
        _print({**_document(kept), "steps": told})
        return
    _tell(kept)
    out.print()
    show((("Điều khoản", "Clause"), ("Nội dung", "What it says")), [(say(*words), said) for words, said in terms_of(kept.document)])
    lacks = missing_parts(kept.document)
    if lacks:
        out.print(say("Còn thiếu: ", "Lacks: ") + "; ".join(say(*PARTS[part]) for part in lacks))
    out.print()
    headings = (("Bước", "Step"), ("Lúc", "At"), ("Việc", "Act"), ("Trạng thái", "State"), ("Người", "By"), ("Lý do", "Reason"))
    rows = [
        (
            s.step,
            f"{s.at.astimezone(VIETNAM):%d/%m/%Y %H:%M}",
            say(*ACT_NAMES[Act(s.act)]),
            say(*STATE_WORDS[s.state]),
            f"{s.by} {s.agency}".strip(),
            " · ".join(said for said in (s.reason, s.legal_text, str(s.details.get("copies", ""))) if said),
        )
        for s in steps
    ]
    show(headings, rows)


@app.command("request")
def requested(
    file: Annotated[Path, typer.Argument(help="YAML hoặc JSON, các từ của thỏa thuận · the words of an agreement")], agency: Agency
) -> None:
    """Gửi một đề nghị · file a request."""
    import yaml

    from lienthong.pipeline import agreeing

    try:
        document = yaml.safe_load(file.read_text("utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadRequest(f"`{file}` is neither YAML nor JSON.") from error
    if not isinstance(document, dict):
        raise BadRequest(f"`{file}`: expected keys and values.")
    place, rules, register = _opened()
    _tell(agreeing.request(place, rules, register, _actor(agency), document))


def _acting(what: Act) -> Callable[..., None]:
    """The command of one act."""
    step = STEPS[what]

    def do(
        id: Number,
        agency: Agency = "",
        reason: Annotated[str, typer.Option(help="Lý do · reason")] = "",
        legal_text: Annotated[str, typer.Option(help="Văn bản, điều khoản · text of law")] = "",
        copies: Annotated[str, typer.Option(help="destroyed | returned | kept")] = "",
    ) -> None:
        from lienthong.pipeline import agreeing

        place, rules, register = _opened()
        _tell(agreeing.act(place, rules, register, _actor(agency), id, what, agreeing.Said(reason, legal_text, copies)))

    needs = f" (--{', --'.join(word.replace('_', '-') for word in step.needs)})" if step.needs else ""
    do.__doc__ = f"{ACTS[what][0]} · {ACTS[what][1]}{needs}"
    return do


for _what in ACTS:
    app.command(_what.value.replace("_", "-"))(_acting(_what))


@app.command("usage")
def usage(
    id: Number,
    begins: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    ends: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
) -> None:
    """Đã dùng những gì, theo sổ kiểm chứng · what was used, as the ledger has it."""
    from datetime import timedelta

    from lienthong.sharing.usage import usage_report
    from lienthong.store import agreements as store

    place = workshop()
    last = ends.date() if ends else vietnam_date(place.clock())
    with place.database.connect() as connection:
        _found(store.find(connection, id), id)
        _print(usage_report(connection, id, begins.date() if begins else last - timedelta(days=29), last))


@app.command("overdue")
def overdue(everything: Annotated[bool, typer.Option("--all", help="Cả việc chưa đến hạn · what is not due yet too")] = False) -> None:
    """Việc quá hạn · what is overdue: answers, usage reports, word on copies."""
    from lienthong.sharing.deadlines import WHAT, deadlines

    place = workshop()
    today = vietnam_date(place.clock())
    with place.database.connect() as connection:
        found = [each for each in deadlines(connection) if everything or each.due_on < today]
    headings = (("Hạn", "Due"), ("Việc", "What"), ("Cơ quan", "Agency"), ("Số", "Number"), ("Bộ dữ liệu", "Dataset"))
    show(headings, [(each.due_on, say(*WHAT[each.what]), each.agency, each.agreement, each.dataset) for each in found])


@app.command("renewals")
def renewed() -> None:
    """Thỏa thuận sắp phải gia hạn · agreements to be renewed."""
    from lienthong.pipeline.agreeing import rules_of
    from lienthong.sharing.deadlines import renewals

    place, rules = workshop(), rules_of(settings())
    with place.database.connect() as connection:
        found = renewals(connection, None, vietnam_date(place.clock()), rules.clocks, rules.instruments)
    headings = (("Số", "Number"), ("Bộ dữ liệu", "Dataset"), ("Hết hạn", "Ends"), ("Vì sao", "Why"))
    rows = [
        (e["id"], e["dataset"], date.fromisoformat(e["ends_on"]) if e["ends_on"] else None, "; ".join(say(w["vi"], w["en"]) for w in e["reasons"]))
        for e in found
    ]  # fmt: skip
    show(headings, rows)


@stops.command("announce")
def announce(
    dataset: Annotated[str, typer.Argument(metavar="DATASET")],
    begins: Annotated[str, typer.Option("--from", help="2026-12-10T20:00")],
    ends: Annotated[str, typer.Option("--to", help="Dự kiến khôi phục · expected back")],
    reason: Annotated[str, typer.Option(help="Lý do · reason")],
    agency: Agency = "",
    forced: Annotated[bool, typer.Option("--forced", help="Bất khả kháng · force majeure")] = False,
) -> None:
    """Thông báo tạm dừng, trước 7 ngày làm việc · announce a stop, seven working days ahead."""
    from lienthong.pipeline import stopping
    from lienthong.pipeline.agreeing import rules_of
    from lienthong.sharing.filters import read_instant

    place = workshop()
    contract = place.contracts.get(dataset)
    if contract is None:
        raise NotFound(f"There is no contract of `{dataset}`.")
    times = read_instant("--from", begins), read_instant("--to", ends)
    number = stopping.announce(place, rules_of(settings()), _actor(agency), dataset, contract.agency, *times, reason, is_forced=forced)
    out.print(say(f"Đợt dừng {number}.", f"Stop {number}."))


@stops.command("list")
def stops_listed() -> None:
    """Các đợt dừng sắp tới · stops to come."""
    from lienthong.store import agreements as store

    place = workshop()
    with place.database.connect() as connection:
        found = store.stops(connection, place.clock())
    headings = (("Đợt", "Stop"), ("Bộ dữ liệu", "Dataset"), ("Từ", "From"), ("Đến", "To"), ("Lý do", "Reason"))
    rows = [
        (
            one.stop.id, one.stop.dataset, f"{one.stop.begins_at.astimezone(VIETNAM):%d/%m/%Y %H:%M}",
            f"{one.stop.ends_at.astimezone(VIETNAM):%d/%m/%Y %H:%M}", one.reason,
        )
        for one in found
    ]  # fmt: skip
    show(headings, rows)


@stops.command("withdraw")
def stop_withdrawn(
    stop: Annotated[int, typer.Argument(metavar="STOP")], reason: Annotated[str, typer.Option(help="Lý do · reason")], agency: Agency = ""
) -> None:
    """Rút thông báo dừng · withdraw a stop."""
    from lienthong.pipeline import stopping
    from lienthong.store import agreements as store

    place = workshop()
    with place.database.connect() as connection:
        provider = next((one.provider for one in store.stops(connection, place.clock()) if one.stop.id == stop), "")
    stopping.withdraw(place, _actor(agency), provider, stop, reason)
    out.print(say("Đã rút.", "Withdrawn."))


@access.command("explain")
def explained(
    dataset: Annotated[str, typer.Argument(metavar="DATASET")],
    caller: Annotated[str, typer.Argument(metavar="CALLER", help="VN/GOV/H10.12/tro-cap")],
    purpose: Annotated[str, typer.Option(help="Mã mục đích · purpose")] = "",
    official: Annotated[str, typer.Option(help="Cán bộ · official")] = "",
    operation: Annotated[str, typer.Option(help=", ".join(word for word in Operation if word is not Operation.CALL))] = "look_up",
    address: Annotated[str, typer.Option(help="Địa chỉ mạng · network address")] = "",
    at: Annotated[str, typer.Option(help="2026-12-10T20:00")] = "",
    as_json: AsJson = False,
) -> None:
    """Hệ thống này được xem gì, điều khoản nào quyết định · what a caller would get, and which clause decides."""
    from lienthong.sharing.explaining import SHOWN, explain
    from lienthong.sharing.filters import read_instant

    place, rules, register = _opened()
    contract = place.contracts.get(dataset)
    if contract is None:
        raise NotFound(f"There is no contract of `{dataset}`.")
    if operation not in [*Operation] or operation == Operation.CALL:
        raise BadRequest(f"`{operation}` is no operation on a dataset.")
    moment = read_instant("--at", at) if at else place.clock()
    asked = AccessRequest(caller, dataset, Operation(operation), purpose, official, address, moment)
    found = explain(asked, contract, register, vietnam_date(moment), rules.functions)
    if as_json:
        _print(found)
        return
    out.print(
        f"[bold]{say(found['vi'], found['en'])}[/bold]" + (f" · {found['agreement']} · {found['clause']}" if found["agreement"] else "")
    )
    if found["legal_basis"] and not found["agreement"]:
        out.print(say("Căn cứ: ", "Legal basis: ") + found["legal_basis"])
    if not found["allowed"] and found["by_rule"] is not None:
        rule = found["by_rule"]
        out.print(
            say(f"Đề nghị sẽ được chấp thuận ngay: {rule['vi']}", f"A request would be granted at once: {rule['en']}")
            + f" ({rule['legal_basis']})"
        )
    for row in found["rows"]:
        out.print(say("Chỉ các hàng: ", "Only rows: ") + f"{row['field']} {row['operator']} {row['value']}")
    show(
        (("Trường", "Field"), ("Được xem", "Shown"), ("Thỏa thuận", "Agreement"), ("Điều khoản", "Clause")),
        [(line["field"], say(*SHOWN[line["shown"]]), line["agreement"], line["clause"]) for line in found["fields"]],
    )
    if not found["allowed"] and found["tried"]:
        out.print()
        show(
            (("Thỏa thuận", "Agreement"), ("Điều khoản", "Clause"), ("Vì sao", "Why")),
            [(each["agreement"], each["clause"], say(each["vi"], each["en"])) for each in found["tried"]],
        )


# Common


def _opened() -> tuple[Workshop, AgreementRules, Register]:
    """The workshop, the rules, and the register in force, the operator's folder taken over."""
    from lienthong.pipeline.agreeing import rules_of
    from lienthong.sharing.register import RegisterReader
    from lienthong.web.register_watch import read_register, take_folder

    found, place = settings(), workshop()
    rules = rules_of(found)
    reader = RegisterReader(place.contracts, rules.offices)
    take_folder(place, Path(found.agreements), found.environment)
    return place, rules, read_register(place, reader, found.environment).register


def _actor(agency: str) -> Actor:
    """Whoever sits at the platform's terminal may do what its operator may, and act for the agency named."""
    roles = {Role.OPERATOR} if not agency else {Role.OPERATOR, Role.DATA_OFFICER}
    return Actor(who(), agency, frozenset(roles))


def _found(kept: Kept | None, id: str) -> Kept:
    from lienthong.pipeline import agreeing

    if kept is None:
        raise agreeing.no_such(id)
    return kept


def _document(kept: Kept) -> dict[str, Any]:
    return {"id": kept.id, "state": kept.state, "version": kept.version, "step": kept.step, "document": dict(kept.document)}


def _tell(kept: Kept) -> None:
    out.print(f"{kept.id} · {kept.consumer} → {kept.dataset} · [bold]{say(*STATE_WORDS[kept.state])}[/bold]")


def _print(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=1))

"""`lienthong open …`: whether a dataset may be opened without telling of somebody, and who decided it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import out, say, show

if TYPE_CHECKING:
    from lienthong.access import Actor
    from lienthong.contracts import Contract
    from lienthong.pipeline import Workshop
    from lienthong.quality.disclosure import Limits

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="JSON")]
Dataset = Annotated[str, typer.Argument(help="Bộ dữ liệu · the dataset")]
VERDICTS = {"safe": ("an toàn", "safe"), "risky": ("có nguy cơ", "risky"), "forbidden": ("không được mở", "forbidden")}
OUTCOMES = {"allowed": ("cho mở", "allowed"), "refused": ("không mở", "refused")}


@app.command("check")
def check(dataset: Dataset, as_json: AsJson = False) -> None:
    """Kiểm tra nguy cơ nhận ra cá nhân trước khi mở · whether persons could be recognised, before opening."""
    from lienthong.pipeline import releasing
    from lienthong.quality.disclosure import RULES

    place = workshop()
    contract = _contract(place, dataset)
    made = releasing.check(place, contract, _actor(contract), _limits())
    if as_json:
        typer.echo(json.dumps({"check": made.number, "version": made.version, **made.report}, ensure_ascii=False))
    else:
        report, spread = made.report, made.report["spread"]
        out.print(
            say(
                f"Lần kiểm tra {made.number}, phiên bản {made.version}, {report['rows']} dòng: ",
                f"Check {made.number}, version {made.version}, {report['rows']} rows: ",
            )
            + say(*VERDICTS[made.verdict])
        )
        if spread is not None:
            out.print(
                say(
                    f"Nhóm nhỏ nhất {spread['smallest']} dòng; {spread['under']} dòng dưới k = {report['limits']['k']}; {spread['alone']} dòng đứng riêng.",
                    f"Smallest class {spread['smallest']}; {spread['under']} rows under k = {report['limits']['k']}; {spread['alone']} stand alone.",
                )
            )
        heads = (("Quy tắc", "Rule"), ("Phát hiện", "Found"), ("Trường", "Fields"), ("Dòng", "Rows"), ("Cùng với", "Beside"))
        show(
            heads,
            [(f["rule"], say(*RULES[f["rule"]]), ", ".join(f["columns"]), str(f["count"] or ""), f["other"]) for f in report["findings"]],
        )
    if made.verdict == "forbidden":
        raise typer.Exit(1)


@app.command("propose")
def propose(
    dataset: Dataset,
    to: Annotated[Path | None, typer.Option(help="Ghi các giá trị đã khái quát hóa ra tệp CSV · write the blurred values")] = None,
    as_json: AsJson = False,
) -> None:
    """Đề xuất khái quát hóa hoặc bỏ bớt để mở an toàn · what to blur and leave out, and what is lost."""
    from lienthong.pipeline import releasing
    from lienthong.quality.generalising import STEPS

    place = workshop()
    contract = _contract(place, dataset)
    if to is None:
        found = releasing.propose_for(place, contract, _actor(contract), _limits())
    else:
        found, rows = releasing.blurred_rows(place, contract, _actor(contract), _limits())
        with to.open("xb") as file:
            rows.write_csv(file)
    if as_json:
        typer.echo(json.dumps(found.document(), ensure_ascii=False))
        return
    if found.dropped:
        out.print(say("Bỏ: ", "Left out: ") + ", ".join(found.dropped))
    show(
        (("Trường", "Field"), ("Khái quát hóa", "Becomes"), ("Mất", "Lost")),
        [(step.column, say(*STEPS[step.to]), f"{step.loss:.0%}") for step in found.steps],
    )
    if found.before is not None and found.after is not None:
        out.print(
            say(
                f"Nhóm nhỏ nhất: {found.before.smallest} → {found.after.smallest} dòng; bỏ {found.rows_left_out} trên {found.before.rows} dòng; mất {found.loss:.0%} thông tin.",
                f"Smallest class: {found.before.smallest} → {found.after.smallest} rows; {found.rows_left_out} of {found.before.rows} rows left out; {found.loss:.0%} lost.",
            )
        )


@app.command("decide")
def decide(
    check: Annotated[int, typer.Argument(help="Số lần kiểm tra · number of the check")],
    outcome: Annotated[str, typer.Argument(help="allowed | refused")],
    reason: Annotated[str, typer.Option(help="Lý do · why")],
) -> None:
    """Cho mở hoặc không; khi cần hai người thì chờ người thứ hai · allow or refuse; where two decide, the second is waited for."""
    from lienthong.pipeline import releasing
    from lienthong.store.releasing import Decision

    place = workshop()
    with place.database.connect() as connection:
        checked = releasing.found(connection, check)
    contract = _contract(place, checked.dataset)
    made = releasing.decide(place, check, _actor(contract), outcome, reason, needs_two=settings().open_two_persons)
    if isinstance(made, Decision):
        out.print(f"{checked.dataset}: {say(*OUTCOMES[made.outcome])}")
    else:
        out.print(
            say(
                f"Đề xuất {made.number} chờ người thứ hai duyệt (`/v1/approvals/{made.number}`).",
                f"Proposal {made.number} waits for a second person (`/v1/approvals/{made.number}`).",
            ),
            soft_wrap=True,
        )


@app.command("list")
def listed(
    dataset: Annotated[str | None, typer.Option(help="Của một bộ dữ liệu · of one dataset")] = None, as_json: AsJson = False
) -> None:
    """Các lần kiểm tra và quyết định · checks and decisions."""
    from lienthong.store import releasing as store

    with workshop().database.connect() as connection:
        checks, decisions = store.list_checks(connection, dataset), store.decisions_of(connection, dataset)
    if as_json:
        told: dict[str, Any] = {"checks": [asdict(each) for each in checks], "decisions": [asdict(each) for each in decisions]}
        typer.echo(json.dumps(told, default=str, ensure_ascii=False))
        return
    decided = {each.check: each for each in reversed(decisions)}
    rows = []
    for each in checks:
        decision = decided.get(each.number)
        names = "" if decision is None else ", ".join(name for name in (decision.proposed_by, decision.decided_by) if name)
        rows.append(
            (
                str(each.number),
                each.dataset,
                str(each.version),
                each.checked_at,
                say(*VERDICTS[each.verdict]),
                "" if decision is None else say(*OUTCOMES[decision.outcome]),
                names,
            )
        )
    heads = (
        ("Số", "Check"), ("Bộ dữ liệu", "Dataset"), ("Phiên bản", "Version"), ("Lúc", "At"), ("Kết quả", "Verdict"),
        ("Quyết định", "Decision"), ("Ai", "Who"),
    )  # fmt: skip
    show(heads, rows)


def _contract(place: Workshop, dataset: str) -> Contract:
    from lienthong.errors import NotFound

    contract = place.contracts.get(dataset)
    if contract is None:
        raise NotFound(f"There is no dataset `{dataset}`.", vi=f"Không có bộ dữ liệu `{dataset}`.")
    return contract


def _limits() -> Limits:
    from lienthong.quality.disclosure import Limits

    found = settings()
    return Limits(found.open_class_size, found.open_diversity)


def _actor(contract: Contract) -> Actor:
    """At the terminal a person acts for the agency that owns the dataset."""
    from lienthong.access import Actor, Role

    return Actor(who(), contract.agency, frozenset({Role.DATA_OFFICER}))

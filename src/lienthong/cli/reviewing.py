"""`lienthong match review …`: how right the index is, by pairs drawn by chance that persons look at without being told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.matching import EntityName, index_named
from lienthong.cli.opening import who, workshop
from lienthong.cli.stewarding import side_by_side
from lienthong.cli.words import out, say, show
from lienthong.errors import NotFound

if TYPE_CHECKING:
    from lienthong.masterdata.estimating import Reviewer, Share

app = typer.Typer(no_args_is_help=True)


@app.command("draw")
def draw(
    entity: EntityName,
    size: Annotated[int, typer.Argument(help="Khoảng bao nhiêu cặp · about how many pairs")] = 200,
    seed: Annotated[int, typer.Option(help="Cùng số này thì cùng mẫu · the same number draws the same pairs")] = 1,
) -> None:
    """Lấy mẫu ngẫu nhiên các cặp đã gộp và các cặp gần ngưỡng · draw pairs by chance, joined and not."""
    from lienthong.pipeline import reviewing

    place = workshop()
    number = reviewing.draw(place, index_named(place, entity), size, seed, who())
    out.print(say(f"Đợt rà soát {number}", f"Review {number}"))


@app.command("next")
def next_pair(entity: EntityName, limit: int = 1) -> None:
    """Cặp tiếp theo cần bạn xem; không nói trước hệ thống đã gộp hay chưa · what you have still to look at; you are not told what was decided."""
    from lienthong.pipeline import reviewing

    place = workshop()
    items = reviewing.next_items(place, index_named(place, entity), who(), limit)
    for one in items:
        out.print(f"\n[bold]{one.item}[/bold]")
        side_by_side("/".join(one.left), one.left_content, "/".join(one.right), one.right_content)
    if not items:
        out.print(say("Không còn cặp nào cần bạn xem", "Nothing is left for you to look at"))


@app.command("say")
def say_of_pair(
    entity: EntityName,
    item: int,
    verdict: Annotated[str, typer.Argument(help="same: là một · one; apart: không phải một · not one; unsure: chưa rõ · not known")],
) -> None:
    """Cho ý kiến về một cặp; không đổi bản ghi gốc nào · say what a pair is; no golden record changes."""
    from lienthong.pipeline import reviewing

    place = workshop()
    reviewing.say(place, index_named(place, entity), item, verdict, who())
    out.print(say(f"Đã ghi ý kiến về cặp {item}", f"Pair {item} is noted"))


@app.command("estimate")
def tell_estimate(entity: EntityName) -> None:
    """Ước lượng độ chính xác và độ đầy đủ, khoảng tin cậy 95 % · precision and recall by the newest review, with 95 % intervals."""
    from lienthong.masterdata.estimating import estimate
    from lienthong.store import reviewing as store

    place = workshop()
    index_named(place, entity)
    with place.database.connect() as connection:
        drawn = store.latest(connection, entity)
        if drawn is None:
            raise NotFound(f"No review of `{entity}` was drawn.", hint="lienthong match review draw", vi="Chưa lấy mẫu đợt rà soát nào.")
        found = estimate(store.verdicts(connection, drawn.review))
    out.print(
        say(
            f"Đợt {drawn.review}, mô hình {drawn.model}: đã xem {found.reviewed}/{found.pairs} cặp, đại diện {found.covered:.0%} số cặp",
            f"Review {drawn.review}, model {drawn.model}: {found.reviewed} of {found.pairs} pairs have a verdict and stand for {found.covered:.0%} of all",
        )
    )
    rows = [(say("Tất cả", "All"), share_told(found.precision), share_told(found.recall))]
    rows += [(name.replace("|", " · "), share_told(precise), share_told(whole)) for name, (precise, whole) in found.by_registers.items()]
    show((("Hai nguồn", "Registers"), ("Độ chính xác", "Precision"), ("Độ đầy đủ", "Recall")), rows)
    if found.agreement is not None:
        equal, kappa = found.agreement
        out.print(say(f"Hai người cùng ý {equal:.0%}, kappa {kappa:.2f}", f"Two reviewers agree in {equal:.0%}, kappa {kappa:.2f}"))
    if found.by_reviewer:
        show(
            (
                ("Người rà soát", "Reviewer"),
                ("Cặp đã xem", "Pairs looked at"),
                ("Người khác cũng xem", "Looked at by another too"),
                ("Hai người cùng ý", "Both said the same"),
            ),
            [(name, each.looked, each.twice, equal_told(each)) for name, each in found.by_reviewer.items()],
        )


@app.command("cuts")
def cuts(
    entity: EntityName,
    adopt: Annotated[list[str] | None, typer.Option(help="Áp dụng cho cặp nguồn A,B; lặp lại được · put in force for registers A,B; may be repeated")] = None,
) -> None:  # fmt: skip
    """Ngưỡng gộp của từng cặp nguồn, theo ý kiến rà soát nên là bao nhiêu · where two registers' records join, and where the verdicts would have it."""
    from lienthong.pipeline import reviewing

    place = workshop()
    index = index_named(place, entity)
    if adopt:
        registers = ["|".join(sorted(name.strip() for name in both.split(","))) for both in adopt]
        version = reviewing.adopt_cuts(place, index, registers, who())
        out.print(
            say(
                f"Mô hình {version} có hiệu lực; chạy lại `lienthong match run {entity}` để gộp theo ngưỡng mới.",
                f"Model {version} is in force; `lienthong match run {entity}` matches everything by it.",
            )
        )
        return
    rows = [
        (one.registers.replace("|", " · "), f"{one.cut:+.1f}", f"{one.suggested:+.1f}", f"{one.offset.bits:+.1f} ± {one.offset.error:.1f}", one.offset.reviewed)
        for one in reviewing.suggest_cuts(place, index)
    ]  # fmt: skip
    show(
        (
            ("Hai nguồn", "Registers"),
            ("Ngưỡng, bit", "Cut, bits"),
            ("Đề nghị", "Suggested"),
            ("Trọng số lệch", "Weights are off by"),
            ("Cặp đã xem", "Pairs"),
        ),
        rows,
    )


def equal_told(one: Reviewer) -> str:
    """How often another said the same, where another looked."""
    return "–" if not one.twice else f"{one.equal} ({one.equal / one.twice:.0%})"


def share_told(share: Share | None) -> str:
    """A share in per cent with its interval."""
    return "–" if share is None else f"{share.value:.2%} ({share.low:.2%}–{share.high:.2%})"

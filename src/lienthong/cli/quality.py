"""`lienthong quality …`: scores over time, by rule, run and agency; what drifted."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from lienthong.cli.opening import unknown_dataset, who, workshop
from lienthong.cli.words import out, say, show

app = typer.Typer(no_args_is_help=True)
Dataset = Annotated[str, typer.Argument(metavar="DATASET")]
DIMENSIONS = {
    "through": ("Hàng đúng", "Rows right"), "filled": ("Ô có giá trị", "Cells filled"), "completeness": ("Đầy đủ", "Completeness"),
    "conformity": ("Đúng dạng", "Conformity"), "uniqueness": ("Không trùng", "Uniqueness"), "consistency": ("Nhất quán", "Consistency"),
}  # fmt: skip

FRESHNESS = {
    "fresh": ("mới như đã hứa", "fresh"), "late": ("cũ hơn đã hứa", "late"), "never": ("chưa có dữ liệu", "never"),
    "unpromised": ("không hứa thời hạn", "unpromised"),
}  # fmt: skip
SEVERITIES = {"error": ("lỗi", "error"), "warning": ("cảnh báo", "warning")}
MEASURES = (
    (re.compile(r"^rows looked into"), "số hàng đã xem kỹ"), (re.compile(r"^rows"), "số hàng"), (re.compile(r"^sum (?=.)"), "tổng "),
    (re.compile(r"^sha256 (?=.)"), "sha256 của "), (re.compile(r"^keys (?=.)"), "khóa "), (re.compile(r"^hash of rows"), "dấu vân của các hàng"),
    (re.compile(r"\brow (?=\d)"), "hàng "), (re.compile(r"\brun (?=\d)"), "lần nạp "), (re.compile(r"^key (?=.)"), "khóa "),
)  # fmt: skip


@app.command("scores")
def scores() -> None:
    """Điểm chất lượng hiện nay của mọi bộ dữ liệu, theo cơ quan, kèm độ mới · every dataset's newest scores, by agency, with freshness."""
    from lienthong.catalog.measuring import UNKNOWN, freshness
    from lienthong.pipeline.scoring import profile_new
    from lienthong.store import pages
    from lienthong.store import quality as store

    place = workshop()
    profile_new(place)
    with place.database.connect() as connection:
        found = store.scores_now(connection)
        standings = pages.standings(connection)
    rows = []
    for dataset, version, _, records, told in found:
        contract = place.contracts.get(dataset)
        if contract is not None:
            fresh = freshness(contract, standings.get(dataset, UNKNOWN), place.clock())["state"]
            rows.append(
                (contract.agency, dataset, version, records, *(_percent(told.get(name)) for name in DIMENSIONS), say(*FRESHNESS[fresh]))
            )
    headings = (("Cơ quan", "Agency"), ("Bộ dữ liệu", "Dataset"), ("Phiên bản", "Version"), ("Bản ghi", "Records"), *DIMENSIONS.values(), ("Độ mới", "Freshness"))  # fmt: skip
    show(headings, sorted(rows))


@app.command("history")
def history(dataset_id: Dataset, limit: int = 20) -> None:
    """Điểm chất lượng qua các phiên bản · scores over versions, newest first."""
    from lienthong.store import quality as store

    with workshop().database.connect() as connection:
        found = store.history(connection, dataset_id, limit)
    rows = [(v.at, v.version, v.run_id, v.records, *(_percent(v.scores.get(name)) for name in DIMENSIONS)) for v in found]
    show((("Lúc", "When"), ("Phiên bản", "Version"), ("Lần nạp", "Run"), ("Bản ghi", "Records"), *DIMENSIONS.values()), rows)


@app.command("rules")
def rules(dataset_id: Dataset, runs: Annotated[int, typer.Option(help="Số lần nạp gần đây · newest runs")] = 5) -> None:
    """Mỗi quy tắc bị vi phạm bao nhiêu lần, theo lần nạp · how often each rule was broken, run by run."""
    from lienthong.store import quality as store

    with workshop().database.connect() as connection:
        found = store.rules_by_run(connection, dataset_id, runs)
    rows = [(run, at, rule, say(*SEVERITIES[severity]), count) for run, at, rule, severity, count in found]
    show((("Lần nạp", "Run"), ("Lúc", "When"), ("Quy tắc", "Rule"), ("Mức", "Severity"), ("Số hàng", "Rows")), rows)


@app.command("drift")
def drift(dataset_id: Annotated[str | None, typer.Argument(metavar="[DATASET]")] = None, limit: int = 50) -> None:
    """Những gì lệch so với các phiên bản trước · what moved against the versions before."""
    from lienthong.store import quality as store

    with workshop().database.connect() as connection:
        found = store.notes(connection, dataset_id, limit)
    if not found:
        out.print(say("Không có gì lệch.", "Nothing drifted."))
        return
    show(
        (("Bộ dữ liệu", "Dataset"), ("Phiên bản", "Version"), ("Điều gì", "What")),
        [(n.dataset_id, n.version, say(n.vi, n.en)) for n in found],
    )


@app.command("reconcile")
def reconcile(
    dataset_id: Dataset,
    source: Annotated[str | None, typer.Option(help="Nguồn, khi có nhiều · the source, where there are several")] = None,
) -> None:
    """Đối chiếu với nguồn: số hàng, tổng, dấu vân ở hai đầu · hold what landed against what the source says of itself."""
    from lienthong.pipeline.reconciling import reconcile as hold

    place = workshop()
    contract = place.contracts.get(dataset_id)
    if contract is None:
        raise unknown_dataset(place, dataset_id)
    differs = False
    for each in contract.sources:
        if source is not None and each.name != source:
            continue
        found = hold(place, contract, each, who())
        out.print(f"{each.name} · {say('lần', 'run')} {found.run_id}")
        if not found.lines:
            out.print(say("Nguồn không tự nói gì để đối chiếu.", "The source says nothing of itself."))
            continue
        rows = [(_measure(line.what), line.there, line.here, "=" if line.is_equal else "≠") for line in found.lines]
        show((("Đo", "Measure"), ("Ở nguồn", "At the source"), ("Ở đây", "Here"), ("", "")), rows)
        differs |= not found.agrees
    if differs:
        raise typer.Exit(1)


def _measure(what: str) -> str:
    vi = what
    for english, vietnamese in MEASURES:
        vi = english.sub(vietnamese, vi)
    return say(vi, what)


def _percent(value: float | None) -> str:
    if value is None:
        return ""
    return say(f"{value:.2f}".replace(".", ","), f"{value:.2f}")

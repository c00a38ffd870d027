"""`lienthong match …`: learn a model, look at it, use it, and match everything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import err, out, say, show
from lienthong.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.status import Status

    from lienthong.masterdata.entities import Entity
    from lienthong.masterdata.model import Model
    from lienthong.masterdata.resolve import MakeEngine
    from lienthong.pipeline import Workshop
    from lienthong.pipeline.matching import EntityIndex

app = typer.Typer(no_args_is_help=True)
EntityName = Annotated[str, typer.Argument(metavar="ENTITY", help="Ví dụ · such as person, household, enterprise, parcel")]
STEPS = {
    "reading": ("đọc bản ghi", "reading records"),
    "learning": ("học trọng số", "learning weights"),
    "households": ("đo trùng hợp trong hộ", "measuring households"),
    "keys": ("chọn khóa tìm", "choosing keys"),
    "cuts": ("chọn ngưỡng", "choosing cuts"),
    "comparing": ("so khớp", "comparing"),
    "writing": ("ghi", "writing"),
    "choosing": ("chọn giá trị", "choosing values"),
    "publishing": ("công bố", "publishing"),
}


@app.command("train")
def train(entity: EntityName, adopt: Annotated[bool, typer.Option(help="Dùng ngay · put it in force at once")] = False) -> None:
    """Học mô hình từ dữ liệu hiện có, không cần nhãn · learn a model from the records as they are, without labels."""
    from lienthong.masterdata.model import write_model
    from lienthong.pipeline import match_models

    place = workshop()
    found = _entity(place, entity)
    with err.status(say("Học mô hình", "Learning a model")) as status:
        model = match_models.train_entity(place, found, lambda step: status.update(say(*STEPS[step])))
    path = _path(entity)
    write_model(model, path)
    _tell(model.plan.entity, model)
    out.print(say(f"Mô hình {model.version} ở {path}", f"Model {model.version} is in {path}"))
    if adopt:
        match_models.adopt(place, found, model, who())


@app.command("model")
def model(entity: EntityName) -> None:
    """Mô hình trong tệp: mỗi mức giống nhau đáng bao nhiêu · the model in its file: what each rung is worth."""
    from lienthong.masterdata.model import read_model

    _tell(entity, read_model(_path(entity)))


@app.command("compare")
def compare(entity: EntityName) -> None:
    """Mô hình trong tệp sẽ đổi những gì, chưa ghi gì · what the model in the file would change; nothing is written."""
    from lienthong.masterdata.model import read_model
    from lienthong.pipeline import match_models

    place = workshop()
    found = match_models.compare(place, _entity(place, entity), read_model(_path(entity)))
    show(
        (("Bản ghi", "Records"), ("Giữ nguyên", "Same"), ("Sẽ gộp", "Would merge"), ("Sẽ tách", "Would split")),
        [(found.records, found.same, found.merging, found.splitting)],
    )
    for ids in found.examples:
        out.print("  " + " + ".join(ids))


@app.command("adopt")
def adopt(entity: EntityName) -> None:
    """Dùng mô hình trong tệp từ nay · put the model in the file in force."""
    from lienthong.masterdata.model import read_model
    from lienthong.pipeline import match_models

    place = workshop()
    match_models.adopt(place, _entity(place, entity), read_model(_path(entity)), who())


@app.command("run")
def run(
    entity: EntityName,
    reason: Annotated[str, typer.Option(help="Lý do · why")] = "",
    spark: Annotated[str, typer.Option(help="Máy chủ Spark, ví dụ local[2] · a Spark master, such as local[2]")] = "",
) -> None:
    """So khớp lại tất cả và công bố bản ghi gốc · match everything and publish the golden records. `all`: every entity."""
    from lienthong.masterdata.entities import entities_of
    from lienthong.pipeline import match_all, match_models

    place = workshop()
    known = entities_of(place.contracts)
    rows = []
    for name in known if entity == "all" else [entity]:
        found = _entity(place, name)
        with place.database.connect() as connection:
            model = match_models.in_force(connection, found)
        if model is None:
            raise NotFound(f"No model of `{name}` is in force.", hint=f"lienthong match train {name} --adopt")
        with err.status(name) as status:
            done = match_all.match_all(place, found, model, who(), reason, _teller(status), _engine(spark))
        counts = done.counts
        rows.append((name, counts["records"], counts["goldens"], counts["candidate_pairs"], counts["waiting"], done.version.version))
    show(
        (
            ("Thực thể", "Entity"),
            ("Bản ghi", "Records"),
            ("Bản ghi gốc", "Golden records"),
            ("Cặp đã so", "Pairs compared"),
            ("Chờ người", "Waiting"),
            ("Phiên bản", "Version"),
        ),
        rows,
    )


RecordName = Annotated[str, typer.Argument(metavar="SOURCE/KEY", help="Ví dụ · such as population.persons/7000000001")]


@app.command("queue")
def queue(entity: EntityName, limit: int = 20) -> None:
    """Những cặp chờ người quyết định, cặp đáng quyết trước đứng trước · pairs that wait for a person, what moves most first."""
    from lienthong.pipeline import stewarding

    place = workshop()
    for one in stewarding.queue(place, _index(place, entity), who(), limit):
        out.print(
            f"\n[bold]{one.item}[/bold]  {say('lý do', 'why')}: {one.why}, {one.bits:+.1f} bit, {one.records} {say('bản ghi', 'records')}"
        )
        names = dict.fromkeys([*one.left_content, *one.right_content])
        rows = [
            (
                name,
                one.left_content.get(name),
                one.right_content.get(name),
                "" if one.left_content.get(name) == one.right_content.get(name) else "≠",
            )
            for name in names
        ]
        left, right = "/".join(one.left), "/".join(one.right)
        show((("", ""), (left, left), (right, right), ("", "")), rows)


@app.command("explain")
def explain(entity: EntityName, left: RecordName, right: RecordName) -> None:
    """Vì sao hai bản ghi là một hay không: từng phép so đáng bao nhiêu bit · what each comparison of two records says, in bits."""
    from lienthong.pipeline.matching import split_name
    from lienthong.store.matching import Index

    place = workshop()
    index = _index(place, entity)
    with place.database.connect() as connection:
        found = {(r.source, r.key): r for r in Index(connection, entity).own([split_name(left), split_name(right)])}
    if len(found) < 2:
        raise NotFound(f"`{left}` or `{right}` is no record of `{entity}`.", hint="Name them SOURCE/KEY.")
    a, b = found[split_name(left)], found[split_name(right)]
    scorer = index.matcher.scorer
    parts = scorer.explain(a.features, b.features)
    rows = [(part.comparison, part.label, f"{part.bits:+.1f}", say("chung hộ", "shared") if part.is_shared else "") for part in parts]
    shared = sum(part.bits for part in parts if part.is_shared)
    total = scorer.score(a.features, b.features)
    held = total - scorer.prior_bits - sum(part.bits for part in parts if not part.is_shared) - shared
    rows.append((say("mức nền", "prior"), "", f"{scorer.prior_bits:+.1f}", ""))
    rows.append((say("trần trong hộ", "household limit"), "", f"{held:+.1f}", ""))
    rows.append(
        (
            say("tổng", "sum"),
            "",
            f"{total:+.1f}",
            say(f"ngưỡng {index.model.cuts.join_bits:+.1f}", f"cut {index.model.cuts.join_bits:+.1f}"),
        )
    )
    show((("So sánh", "Comparison"), ("Mức", "Rung"), ("Bit", "Bits"), ("", "")), rows)


@app.command("decide")
def decide(
    entity: EntityName,
    left: RecordName,
    right: RecordName,
    verdict: Annotated[str, typer.Argument(help="same: là một · one; apart: không phải một · not one; unsure: chưa rõ · not known")],
    reason: Annotated[str, typer.Option(help="Lý do · why")],
) -> None:
    """Quyết định hai bản ghi có là một không · decide whether two records are one."""
    from lienthong.pipeline import stewarding
    from lienthong.pipeline.matching import split_name

    place = workshop()
    done = stewarding.decide(place, _index(place, entity), split_name(left), split_name(right), verdict, who(), reason)
    out.print(say(f"Hành động {done.act}: {dict(done.events)}", f"Act {done.act}: {dict(done.events)}"))


@app.command("undo")
def undo(entity: EntityName, act: int, reason: Annotated[str, typer.Option(help="Lý do · why")]) -> None:
    """Hoàn tác một hành động so khớp: trả lại đúng như trước · take an act of matching back, exactly."""
    from lienthong.pipeline import stewarding

    place = workshop()
    done = stewarding.undo(place, _index(place, entity), act, who(), reason)
    out.print(say(f"Hành động {done.act}: {dict(done.events)}", f"Act {done.act}: {dict(done.events)}"))


def _index(place: Workshop, name: str) -> EntityIndex:
    from lienthong.pipeline import match_models
    from lienthong.pipeline.matching import index_of

    entity = _entity(place, name)
    with place.database.connect() as connection:
        return index_of({name: entity}, name, match_models.in_force(connection, entity))


def _teller(status: Status) -> Callable[[str, int], None]:
    return lambda step, rows: status.update(f"{say(*STEPS[step])} {rows:,}")


def _engine(spark: str) -> MakeEngine:
    from lienthong.masterdata.resolve import duckdb_engine

    if not spark:
        return duckdb_engine
    from lienthong.masterdata.spark import spark_engine, spark_session

    return spark_engine(spark_session(spark))


def _entity(place: Workshop, name: str) -> Entity:
    from lienthong.masterdata.entities import entities_of

    known = entities_of(place.contracts)
    if name not in known:
        raise NotFound(f"No master contract describes the entity `{name}`.", hint=f"Known: {', '.join(known) or 'none'}.")
    return known[name]


def _path(entity: str) -> Path:
    return settings().models / f"{entity}.json"


def _tell(entity: str, model: Model) -> None:
    rows = []
    for comparison, rungs in zip(model.plan.comparisons, model.rungs, strict=True):
        rows += [
            (comparison.name if n == 0 else "", r.label, f"{r.m:.4f}", f"{r.u:.6f}", f"{r.bits:+.1f}", r.frequency_of or "")
            for n, r in enumerate(rungs)
        ]
    show(
        (("So sánh", "Comparison"), ("Mức", "Rung"), ("m", "m"), ("u", "u"), ("Bit", "Bits"), ("Xét độ hiếm", "Rarity")),
        rows,
    )
    cuts = model.cuts
    out.print(
        say(
            f"{entity}: mức nền {model.prior_bits:+.1f} bit, trần trong hộ {-model.kin_bits:.1f} bit; tự gộp từ {cuts.join_bits:+.1f}, hỏi người từ {cuts.review_bits:+.1f}.",
            f"{entity}: prior {model.prior_bits:+.1f} bits, household limit {-model.kin_bits:.1f} bits; joins from {cuts.join_bits:+.1f}, asks from {cuts.review_bits:+.1f}.",
        )
    )
    for recipe in model.blocking.recipes:
        out.print(say("  khóa: ", "  key: ") + " + ".join(recipe.columns))

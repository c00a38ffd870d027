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
    from lienthong.pipeline import match_all

    place = workshop()
    rows = []
    for found, model in _with_models(place, entity):
        with err.status(found.name) as status:
            done = match_all.match_all(place, found, model, who(), reason, _teller(status), _engine(spark))
        counts = done.counts
        shown = ("records", "goldens", "candidate_pairs", "common_keys", "dropped_keys", "waiting")
        rows.append((found.name, *(counts[each] for each in shown), done.version.version))
    show(
        (
            ("Thực thể", "Entity"),
            ("Bản ghi", "Records"),
            ("Bản ghi gốc", "Golden records"),
            ("Cặp đã so", "Pairs compared"),
            ("Khóa phổ biến, đã chia nhỏ", "Common keys, refined"),
            ("Khóa bỏ vì quá phổ biến", "Keys left out, too common"),
            ("Chờ người", "Waiting"),
            ("Phiên bản", "Version"),
        ),
        rows,
    )


def index_named(place: Workshop, name: str) -> EntityIndex:
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


def _with_models(place: Workshop, name: str) -> list[tuple[Entity, Model]]:
    """The entity asked for, or `all`, with the model in force. Raises NotFound where one has none: before anything is matched."""
    from lienthong.masterdata.entities import entities_of
    from lienthong.pipeline import match_models

    found = []
    with place.database.connect() as connection:
        for each in entities_of(place.contracts) if name == "all" else [name]:
            entity = _entity(place, each)
            model = match_models.in_force(connection, entity)
            if model is None:
                learn = f"lienthong match train {each} --adopt"
                words = f"Chưa có mô hình nào của `{each}` đang dùng."
                raise NotFound(f"No model of `{each}` is in force.", hint=learn, vi=words, hint_vi=learn)
            found.append((entity, model))
    return found


def _entity(place: Workshop, name: str) -> Entity:
    from lienthong.masterdata.entities import entities_of

    known = entities_of(place.contracts)
    if name not in known:
        raise NotFound(f"No master contract describes the entity `{name}`.", hint=f"Known: {', '.join(known) or 'none'}.")
    return known[name]


def _path(entity: str) -> Path:
    return settings().models / f"{entity}.json"


def _tell(entity: str, model: Model) -> None:
    from lienthong.masterdata.waterfall import rung_words

    rows = []
    for comparison, rungs in zip(model.plan.comparisons, model.rungs, strict=True):
        rows += [
            (
                comparison.name if n == 0 else "",
                say(*rung_words(r.label, {})),
                f"{r.m:.4f}",
                f"{r.u:.6f}",
                f"{r.bits:+.1f}",
                r.frequency_of or "",
            )
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
    if (on := model.plan.successors.on) is not None:
        out.print(say(f"  đơn vị hành chính như biết ngày {on:%d/%m/%Y}", f"  administrative units as known on {on.isoformat()}"))
    for registers, cut in cuts.by_registers.items():
        out.print(f"  {registers.replace('|', ' · ')}: {cut:+.1f}")
    if model.labels_seen:
        out.print(
            say(f"  học từ {model.labels_seen} cặp do người xác nhận", f"  learnt from {model.labels_seen} pairs that persons said are one")
        )

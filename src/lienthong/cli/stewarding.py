"""`lienthong match …` for stewards: what waits, why, decisions, undoing, values set by hand, who was who."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lienthong.cli.matching import EntityName, index_named
from lienthong.cli.opening import who, workshop
from lienthong.cli.words import day, out, say, show
from lienthong.clock import VIETNAM
from lienthong.errors import NotFound, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lienthong.pipeline.explaining import Explained
    from lienthong.pipeline.matching import Matched, Name

app = typer.Typer(no_args_is_help=True)
RecordName = Annotated[str, typer.Argument(metavar="SOURCE/KEY", help="Ví dụ · such as population.persons/7000000001")]
GoldenId = Annotated[str, typer.Argument(metavar="ID", help="Mã bản ghi gốc · golden record id")]
Reason = Annotated[str, typer.Option(help="Lý do · why")]
KnownAt = Annotated[str, typer.Option(help="Biết tới thời điểm · as known at, such as 2026-06-30T08:00")]


@app.command("queue")
def queue(entity: EntityName, limit: int = 20) -> None:
    """Những cặp chờ người quyết định, cặp đáng quyết trước đứng trước · pairs that wait for a person, what moves most first."""
    from lienthong.pipeline import stewarding
    from lienthong.pipeline.explaining import explain

    place = workshop()
    index = index_named(place, entity)
    waiting = stewarding.queue(place, index, who(), limit)
    told = explain(place, index, [(one.left, one.right) for one in waiting])
    for one, why in zip(waiting, told, strict=True):
        out.print(f"\n[bold]{one.item}[/bold]  {say('lý do', 'why')}: {one.why}, {one.records} {say('bản ghi', 'records')}")
        side_by_side("/".join(one.left), one.left_content, "/".join(one.right), one.right_content)
        _tell_why(why)


@app.command("explain")
def explain_pair(entity: EntityName, left: RecordName, right: RecordName) -> None:
    """Vì sao hai bản ghi là một hay không: từng phép so đáng bao nhiêu bit · what each comparison of two records says, in bits."""
    from lienthong.pipeline.explaining import explain

    place = workshop()
    (why,) = explain(place, index_named(place, entity), [(_name(left), _name(right))])
    _tell_why(why)


@app.command("decide")
def decide(
    entity: EntityName,
    pair: Annotated[list[str], typer.Argument(metavar="ITEM | SOURCE/KEY SOURCE/KEY", help="Số trong hàng chờ, hoặc hai bản ghi · a number of the queue, or two records")],
    verdict: Annotated[str, typer.Argument(help="same: là một · one; apart: không phải một · not one; unsure: chưa rõ · not known")],
    reason: Reason,
) -> None:  # fmt: skip
    """Quyết định hai bản ghi có là một không · decide whether two records are one."""
    from lienthong.pipeline import stewarding
    from lienthong.store import stewarding as store

    place = workshop()
    index = index_named(place, entity)
    if len(pair) == 1 and pair[0].isdigit():
        with place.database.connect() as connection:
            found = store.pair_of(connection, entity, int(pair[0]))
        if found is None:
            raise NotFound(f"Nothing waits under {pair[0]}.", vi=f"Không có gì chờ ở mục {pair[0]}.")
        left, right = found
    elif len(pair) == 2:
        left, right = _name(pair[0]), _name(pair[1])
    else:
        raise SettingsError("Name a number of the queue, or two records SOURCE/KEY.", hint="lienthong match queue shows both.")
    _tell(stewarding.decide(place, index, left, right, verdict, who(), reason))


@app.command("bulk")
def bulk(
    entity: EntityName,
    verdict: Annotated[str, typer.Argument(help="same: là một · one; apart: không phải một · not one")],
    why: Annotated[str | None, typer.Option(help="weight | identifier")] = None,
    registers: Annotated[str, typer.Option(help="Hai nguồn, cách nhau bằng dấu phẩy · two registers, by a comma")] = "",
    least_bits: Annotated[float, typer.Option(help="Từ trọng số này · weights from here")] = float("-inf"),
    below_bits: Annotated[float, typer.Option(help="Dưới trọng số này · weights below this")] = float("inf"),
    alike: Annotated[list[str] | None, typer.Option(help="Thuộc tính phải giống · an attribute that must agree; may be repeated")] = None,
    differing: Annotated[list[str] | None, typer.Option(help="Thuộc tính phải khác · an attribute that must differ; may be repeated")] = None,
    digest: Annotated[str, typer.Option(help="Mã của lần xem trước: quyết định đúng những cặp ấy · of the preview: decides exactly its pairs")] = "",
    reason: Annotated[str, typer.Option(help="Lý do · why")] = "",
) -> None:  # fmt: skip
    """Quyết định hàng loạt theo mẫu: xem trước, rồi lặp lại với --digest · decide all pairs of a pattern: a preview first, then again with --digest."""
    from lienthong.pipeline import bulk_deciding

    place = workshop()
    index = index_named(place, entity)
    named = [name.strip() for name in registers.split(",") if name.strip()]
    if named and len(named) != 2:
        raise SettingsError(f"`--registers {registers}` names no two registers.", hint="Write A,B.")
    both = (named[0], named[1]) if named else None
    pattern = bulk_deciding.Pattern(why, both, least_bits, below_bits, tuple(alike or ()), tuple(differing or ()))
    if digest:
        _tell(bulk_deciding.decide_all(place, index, pattern, verdict, digest, who(), reason))
        return
    found = bulk_deciding.preview(place, index, pattern, verdict, who())
    for one in found.samples:
        out.print(f"\n[bold]{one.item}[/bold]  {one.why}, {one.bits:+.1f} bit")
        side_by_side("/".join(one.left), one.left_content, "/".join(one.right), one.right_content)
    out.print(say(f"{found.pairs} cặp của {found.records} bản ghi; {found.left_out} cặp cần hai người nên để lại.",
                  f"{found.pairs} pairs of {found.records} records; {found.left_out} need two persons and are left out."))  # fmt: skip
    out.print(f"--digest {found.digest}", soft_wrap=True)


@app.command("defer")
def defer(item: int, until: Annotated[str, typer.Argument(metavar="YYYY-MM-DD[THH:MM]")]) -> None:
    """Để lại một cặp tới ngày ấy · ask nobody about a pair before that day."""
    from lienthong.pipeline import stewarding

    stewarding.defer(workshop(), item, _instant(until))
    out.print(say(f"Mục {item} chờ tới {until}", f"Item {item} waits until {until}"))


@app.command("split")
def split(
    entity: EntityName,
    group: Annotated[list[str], typer.Option(help="Một nhóm bản ghi, cách nhau bằng dấu phẩy; lặp lại cho mỗi nhóm · records of one group, by commas; once for each")],
    reason: Reason,
) -> None:  # fmt: skip
    """Tách một bản ghi gốc thành các nhóm · take one golden record apart."""
    from lienthong.pipeline import stewarding

    place = workshop()
    groups = [[_name(text.strip()) for text in one.split(",")] for one in group]
    _tell(stewarding.split(place, index_named(place, entity), groups, who(), reason))


@app.command("undo")
def undo(entity: EntityName, act: int, reason: Reason) -> None:
    """Hoàn tác một hành động so khớp: trả lại đúng như trước · take an act of matching back, exactly."""
    from lienthong.pipeline import stewarding

    place = workshop()
    _tell(stewarding.undo(place, index_named(place, entity), act, who(), reason))


@app.command("override")
def override(
    entity: EntityName,
    id: GoldenId,
    attribute: str,
    value: Annotated[str, typer.Argument(help="Để trống nếu không có giá trị nào · empty: there is none")],
    reason: Reason,
    until: Annotated[str, typer.Option(help="Ngày cuối · last day, YYYY-MM-DD")] = "",
) -> None:
    """Đặt giá trị bằng tay cho bản ghi gốc · set a golden record's value by hand."""
    from lienthong.pipeline import overriding

    place = workshop()
    try:
        last = date.fromisoformat(until) if until else None
    except ValueError as error:
        raise SettingsError(f"`--until {until}` is no day.", hint="Write YYYY-MM-DD.") from error
    done = overriding.override(place, index_named(place, entity), id, attribute, value or None, who(), reason, last)
    out.print(say(f"Hành động {done.act}", f"Act {done.act}"))


@app.command("withdraw")
def withdraw(entity: EntityName, id: GoldenId, attribute: str, reason: Reason) -> None:
    """Rút giá trị đặt bằng tay: giá trị của các nguồn lại có hiệu lực · withdraw a value set by hand."""
    from lienthong.pipeline import overriding

    place = workshop()
    done = overriding.withdraw(place, index_named(place, entity), id, attribute, who(), reason)
    out.print(say(f"Hành động {done.act}", f"Act {done.act}"))


@app.command("expire")
def expire(entity: EntityName) -> None:
    """Kết thúc những giá trị đặt tay đã quá ngày cuối; nên chạy mỗi ngày · end values set by hand whose last day is past; run it daily."""
    from lienthong.pipeline import overriding

    place = workshop()
    ended = overriding.expire(place, index_named(place, entity))
    out.print(say(f"Đã kết thúc {ended} giá trị", f"{ended} values ended"))


@app.command("show")
def show_golden(entity: EntityName, id: GoldenId) -> None:
    """Một bản ghi gốc: bản ghi nguồn, quyết định, giá trị đặt tay, sự kiện · a golden record: its records, words, values set by hand, events."""
    from lienthong.masterdata.joined_by import why_joined
    from lienthong.store import stewarding as store

    place = workshop()
    with place.database.connect() as connection:
        found = store.dossier(connection, entity, id)
    if found is None:
        raise NotFound("No golden record of this id stands.", vi="Không có bản ghi gốc nào mang mã này.")
    for record in found["records"]:
        out.print(f"\n[bold]{record['source']}/{record['key']}[/bold]  {_day(record['dated'])}")
        show((("", ""), ("", "")), list(record["content"].items()))
    for one in found["overrides"]:
        ended = say("đã rút", "withdrawn") if one["ended"] else _day(one["until"])
        out.print(f"{one['attribute']} = {one['value']}  ({one['by']}: {one['reason']}) {ended}")
    master = index_named(place, entity).master
    show(
        (("Hành động", "Act"), ("Kết luận", "Verdict"), ("Bản ghi", "Records"), ("Vì sao", "Why"), ("Bit", "Bits")),
        [
            (each["act"], each["verdict"], f"{each['left']}, {each['right']}", say(*why_joined(each["kind"], each["reason"], master)),
             "" if each["bits"] is None else f"{each['bits']:+.1f}")
            for each in found["judgements"]
        ],
    )  # fmt: skip
    show(
        (("Hành động", "Act"), ("Sự kiện", "Event"), ("Khi", "When"), ("Bản ghi", "Records")),
        [
            (each["act"], each["kind"], datetime.fromisoformat(each["at"]), ", ".join((*each["records"], *each["others"])))
            for each in found["events"]
        ],
    )


@app.command("who")
def who_then(record: RecordName, known_at: KnownAt = "") -> None:
    """Bản ghi ấy lúc ấy là ai: mã bản ghi gốc · which golden record a record was part of."""
    from lienthong.pipeline import overriding

    place = workshop()
    found = overriding.who(place, _name(record), _instant(known_at) if known_at else place.clock())
    if found is None:
        raise NotFound(f"`{record}` was part of no golden record then.", vi=f"`{record}` lúc ấy chưa thuộc bản ghi gốc nào.")
    out.print(found)


@app.command("members")
def members(entity: EntityName, id: GoldenId, known_at: KnownAt = "") -> None:
    """Các bản ghi được coi là một, lúc ấy hay bây giờ · the records taken for one, then or now."""
    from lienthong.pipeline import overriding

    place = workshop()
    for name in overriding.members(place, index_named(place, entity), id, _instant(known_at) if known_at else place.clock()):
        out.print("/".join(name))


def _name(text: str) -> Name:
    from lienthong.pipeline.matching import split_name

    source, key = split_name(text)
    if not source or not key:
        raise SettingsError(f"`{text}` names no record.", hint="Name records SOURCE/KEY, such as population.persons/7000000001.")
    return source, key


def _day(text: str | None) -> str:
    return day(date.fromisoformat(text)) if text else ""


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"`{text}` is no instant.", hint="Write 2026-06-30 or 2026-06-30T08:00.") from error
    return found if found.tzinfo is not None else found.replace(tzinfo=VIETNAM)


def side_by_side(left: str, left_content: Mapping[str, Any], right: str, right_content: Mapping[str, Any]) -> None:
    names = dict.fromkeys([*left_content, *right_content])
    rows = [
        (name, left_content.get(name), right_content.get(name), "" if left_content.get(name) == right_content.get(name) else "≠")
        for name in names
    ]
    show((("", ""), (left, left), (right, right), ("", "")), rows)


def _tell_why(why: Explained) -> None:
    rows = [(say(line.vietnamese, line.english), f"{line.sum_bits:+.1f}") for line in why.lines if line.bits]
    rows.append((say(f"Ngưỡng tự gộp {why.cut:+.1f} bit", f"Joins by itself from {why.cut:+.1f} bits"), f"{why.bits:+.1f}"))
    show((("Vì sao", "Why"), ("Cộng dồn", "Sum so far")), rows)


def _tell(done: Matched) -> None:
    out.print(say(f"Hành động {done.act}: {dict(done.events)}", f"Act {done.act}: {dict(done.events)}"))

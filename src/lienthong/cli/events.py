"""`lienthong events …`: the stream as it comes, who is sent it, what was given up."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import out, say, show
from lienthong.errors import NotFound

app = typer.Typer(no_args_is_help=True)
SECONDS_BETWEEN_LOOKS = 1.0
Id = Annotated[str, typer.Argument(help="Mã đăng ký · the subscription")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Nhiều nhất · at most")]


@app.callback()
def room() -> None:
    """The commands of events."""


@app.command("tail")
def tail(
    source: Annotated[list[str] | None, typer.Option(help="Bộ dữ liệu; bỏ trống: tất cả · datasets; none: all")] = None,
    after: Annotated[int, typer.Option(min=-1, help="Sau vị trí; -1: từ bây giờ · after a position; -1: from now")] = -1,
    follow: Annotated[bool, typer.Option(help="Chờ sự kiện mới · wait for what comes")] = False,
) -> None:
    """Dòng sự kiện, mỗi dòng một JSON; không có dữ liệu cá nhân · the stream, a line of JSON each; it holds no personal data."""
    import psycopg

    from lienthong.store import events

    place = workshop()
    with place.database.connect(autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("listen {}").format(psycopg.sql.Identifier(events.CHANNEL)))
        events.put_in_order(connection)
        at = events.newest_position(connection) if after < 0 else after
        while True:
            events.put_in_order(connection)
            found = events.read(connection, at, 1_000, source or None)
            for event in found:
                line = {**event._asdict(), "at": event.at.isoformat(), "data": dict(event.data)}
                typer.echo(json.dumps(line, ensure_ascii=False))
                at = event.position
            if len(found) == 1_000:
                continue
            if not follow:
                return
            for _ in connection.notifies(timeout=SECONDS_BETWEEN_LOOKS, stop_after=1):
                pass


@app.command("subscriptions")
def subscriptions(caller: Annotated[str, typer.Option(help="Của hệ thống · of a subsystem")] = "") -> None:
    """Ai được gửi gì, đã đến đâu · who is sent what, and how far each has come."""
    from lienthong.store import subscriptions as store

    with workshop().database.connect() as connection:
        found = store.some(connection, caller=caller or None)
    headings = [
        ("mã", "id"), ("hệ thống", "subsystem"), ("bộ dữ liệu", "dataset"), ("đường", "road"), ("trạng thái", "state"), ("vị trí", "position"),
        ("đang gửi", "pending"), ("gửi hỏng", "dead"),
    ]  # fmt: skip
    show(
        headings,
        [
            (
                each.subscription, each.caller, each.dataset, each.road, " ".join(filter(None, (each.state, each.why, each.held))), each.position,
                each.pending, each.dead,
            )
            for each in found
        ],
    )  # fmt: skip


@app.command("deliveries")
def deliveries(subscription: Id, limit: Limit = 50) -> None:
    """Nhật ký gửi của một đăng ký · the log of a subscription's attempts."""
    from lienthong.store import subscriptions as store

    with workshop().database.connect() as connection:
        found = store.deliveries(connection, subscription, limit)
    headings = [
        ("lúc", "at"), ("lần gửi", "delivery"), ("lần thử", "attempt"), ("sự kiện", "events"), ("kết quả", "outcome"), ("trả lời", "status"),
        ("ms", "ms"),
    ]  # fmt: skip
    show(
        headings,
        [(each.at, each.delivery, each.number, each.events, each.outcome, each.status or each.reason, each.milliseconds) for each in found],
    )


@app.command("dead-letters")
def dead_letters(subscription: Id, limit: Limit = 50) -> None:
    """Các lần gửi hỏng · what was given up."""
    from lienthong.store import subscriptions as store

    with workshop().database.connect() as connection:
        found = store.dead_letters(connection, subscription, limit)
    headings = [("lần gửi", "delivery"), ("sự kiện", "events"), ("đã thử", "attempts"), ("từ lúc", "since"), ("vì", "reason")]
    show(headings, found)


@app.command("replay")
def replay(
    subscription: Id, delivery: Annotated[str, typer.Option(help="Một lần gửi; bỏ trống: tất cả · one delivery; none: all")] = ""
) -> None:
    """Gửi lại những lần gửi hỏng · send dead letters again."""
    from lienthong.sharing import subscribing
    from lienthong.sharing.rights import Right
    from lienthong.store import subscriptions as store
    from lienthong.web.delivering import clerk_of

    place = workshop()
    with place.database.connect() as connection:
        found = store.some(connection, subscription=subscription)
    if not found:
        raise NotFound(f"There is no subscription `{subscription}`.", vi=f"Không có đăng ký `{subscription}`.")
    replayed = subscribing.replay(clerk_of(settings(), place), found[0], Right("lienthong", who(), "van-hanh"), delivery or None)
    out.print(say(f"Gửi lại {len(replayed)} lần gửi.", f"{len(replayed)} deliveries go out again."))

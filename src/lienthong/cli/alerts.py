"""`lienthong alert …`: what is unusual, who looks into it, how it ended."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from lienthong.cli.opening import settings, who, workshop
from lienthong.cli.words import at, out, say, show

app = typer.Typer(no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="JSON")]
Number = Annotated[int, typer.Argument(help="Số cảnh báo · number of the alert")]
SEVERITIES = {"note": ("ghi nhận", "note"), "warning": ("cảnh báo", "warning"), "alarm": ("nghiêm trọng", "alarm")}
STATES = {"open": ("mới", "open"), "taken": ("đang xử lý", "taken"), "closed": ("đã đóng", "closed")}


@app.command("list")
def listed(state: Annotated[str, typer.Option(help="open, taken, closed")] = "", as_json: AsJson = False) -> None:
    """Các cảnh báo · alerts, newest first."""
    from lienthong.pipeline.alert_rules import WORDS
    from lienthong.store.alerts import list_alerts

    with workshop().database.connect() as connection:
        found = list_alerts(connection, None, state or None, 200)
    if as_json:
        typer.echo(
            json.dumps([vars(alert) | {"steps": [vars(step) for step in alert.steps]} for alert in found], default=str, ensure_ascii=False)
        )
        return
    rows = [
        (
            str(alert.alert), say(*STATES[alert.state]), say(*SEVERITIES[alert.severity]), say(*WORDS.get(alert.kind, (alert.kind, alert.kind))), alert.subject,
            json.dumps(alert.figures), at(alert.raised_at), alert.steps[-1].by_whom if alert.steps else "",
        )
        for alert in found
    ]  # fmt: skip
    headings = (
        ("Số", "Number"), ("Trạng thái", "State"), ("Mức", "Severity"), ("Cảnh báo", "Alert"), ("Về", "About"), ("Số liệu", "Figures"),
        ("Từ lúc", "Since"), ("Ai", "Who"),
    )  # fmt: skip
    show(headings, rows)


@app.command("take")
def take(alert: Number) -> None:
    """Nhận xử lý một cảnh báo · look into an alert."""
    from lienthong.pipeline import alerting

    alerting.take(workshop(), alert, _actor())
    out.print(say(f"Đã nhận cảnh báo {alert}.", f"Alert {alert} is taken."))


@app.command("close")
def close(alert: Number, reason: Annotated[str, typer.Option(help="Lý do · why")]) -> None:
    """Đóng một cảnh báo, nêu lý do · close an alert, and say why."""
    from lienthong.pipeline import alerting

    alerting.close(workshop(), alert, _actor(), reason)
    out.print(say(f"Đã đóng cảnh báo {alert}.", f"Alert {alert} is closed."))


@app.command("check")
def check() -> None:
    """Xét mọi quy tắc ngay bây giờ · judge every rule now."""
    from lienthong.pipeline.alerting import watch
    from lienthong.pipeline.counting import count_exchanges
    from lienthong.web.duties import open_data_late

    place, found = workshop(), settings()
    count_exchanges(place)
    raised = watch(place, _rules(), found.home, open_data_late(found, place))
    out.print(say(f"{raised} cảnh báo mới.", f"{raised} new alerts."))


@app.command("rules")
def rules() -> None:
    """Các quy tắc và ngưỡng đang dùng · the rules and thresholds in force."""
    from lienthong.pipeline.alert_rules import WORDS

    rows = [
        (
            rule.id,
            say(*SEVERITIES[rule.severity]),
            say(*WORDS[rule.kind]),
            ", ".join(f"{name} {value:g}" for name, value in rule.limits.items()),
        )
        for rule in _rules()
    ]
    show((("Quy tắc", "Rule"), ("Mức", "Severity"), ("Cảnh báo", "Alert"), ("Ngưỡng", "Thresholds")), rows)


def _rules() -> Any:
    from lienthong.pipeline.alert_rules import read_rules, rules_file

    return read_rules(rules_file(settings()))


def _actor() -> Any:
    """Who sits at the terminal: the account's name, as for every act of a command."""
    from lienthong.access import Actor, Role

    return Actor(who(), "", frozenset({Role.OPERATOR}))

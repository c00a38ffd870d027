"""Rules of alerts as data: a kind, its thresholds, a severity. What a kind looks at is in `pipeline.alerting`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from lienthong.errors import SettingsError
from lienthong.settings import Settings

THRESHOLDS: Mapping[str, frozenset[str]] = {
    "silent_caller": frozenset({"days", "least_a_day", "quiet_hours"}),
    "first_week": frozenset({"quiet_days", "least_calls", "refused_percent", "failed_percent"}),
    "silent_source": frozenset({"days", "least_runs", "times_usual"}),
    "late_source": frozenset(),
    "drift": frozenset({"days"}),
    "many_persons": frozenset({"persons", "hours"}),
    "off_hours": frozenset({"begins", "ends", "answers", "hours"}),
    "refused": frozenset({"refusals", "hours"}),
    "keys_in_order": frozenset({"keys", "hours"}),
    "copies_failing": frozenset({"minutes"}),
    "open_data_late": frozenset({"days"}),
    "source_log": frozenset({"megabytes"}),
    "checkpoint_late": frozenset({"seconds"}),
    "disk": frozenset({"free_percent"}),
    "review_late": frozenset({"days"}),
}
PASSING = (
    "silent_caller",
    "first_week",
    "silent_source",
    "late_source",
    "drift",
    "copies_failing",
    "open_data_late",
    "source_log",
    "checkpoint_late",
    "disk",
    "review_late",
)  # what they tell of can end by itself
SEVERITIES = ("note", "warning", "alarm")
WORDS: Mapping[str, tuple[str, str]] = {
    "silent_caller": ("Hệ thống thường gọi nay im lặng", "A subsystem that usually calls is silent"),
    "first_week": ("Hệ thống mới nối có vấn đề trong tuần đầu", "A newly connected subsystem is in trouble in its first week"),
    "silent_source": ("Nguồn thường gửi nay im lặng", "A source that usually delivers is silent"),
    "late_source": ("Nguồn đã đến hẹn mà chưa gửi", "A source was due and has not come"),
    "drift": ("Dữ liệu lệch so với các lần trước", "Data drifted from what it usually is"),
    "many_persons": ("Một cán bộ xem dữ liệu của nhiều người", "One official reads of many persons"),
    "off_hours": ("Xem nhiều ngoài giờ làm việc", "Much is read outside office hours"),
    "refused": ("Bị từ chối nhiều lần", "Refused many times"),
    "keys_in_order": ("Tra cứu mã số theo thứ tự", "Keys are asked for in order"),
    "copies_failing": ("Bản sao ở hệ thống ngoài không cập nhật được", "Copies outside cannot be brought up to date"),
    "open_data_late": ("Dữ liệu mở quá hạn rà soát, cập nhật hoặc công bố", "Open data is overdue for review, refreshing or publication"),
    "source_log": ("Nhật ký của một nguồn ứ lại ở máy chủ của cơ quan", "The log of a source piles up at the agency's server"),
    "checkpoint_late": ("Điểm chốt của sổ kiểm chứng bị trễ", "The ledger's checkpoint is late"),
    "disk": ("Đĩa sắp đầy", "The disk is nearly full"),
    "review_late": ("Chỉ mục bản ghi gốc lâu chưa được rà soát", "An index of golden records has not been reviewed for long"),
}


@dataclass(frozen=True)
class Rule:
    """One rule. `limits` are its thresholds, numbers all."""

    id: str
    kind: str
    severity: str
    limits: Mapping[str, float]

    def limit(self, name: str) -> float:
        return self.limits[name]


def read_rules(path: Path | None = None) -> tuple[Rule, ...]:
    """The rules of a file, or the built-in ones. Raises SettingsError naming the rule and what was expected."""
    try:
        text = (
            resources.files("lienthong.pipeline").joinpath("alert_rules.yaml").read_text("utf-8")
            if path is None
            else path.read_text("utf-8")
        )
        found = yaml.safe_load(text)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"LIENTHONG_ALERT_RULES: `{path}` cannot be read: {type(error).__name__}.") from error
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise SettingsError(f"LIENTHONG_ALERT_RULES: `{path}` is no list of rules.")
    rules = tuple(_rule(each) for each in found)
    names = [rule.id for rule in rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(f"Rules of alerts: `{twice[0]}` is there twice.")
    return rules


def rules_file(settings: Settings) -> Path | None:
    """The file of rules of alerts, None for the built-in ones."""
    return None if settings.alert_rules == Path() else settings.alert_rules


def _rule(found: dict[str, Any]) -> Rule:
    name, kind, severity = (str(found.pop(word, "")) for word in ("id", "kind", "severity"))
    wanted = THRESHOLDS.get(kind)
    if not name or wanted is None or severity not in SEVERITIES:
        raise SettingsError(
            f"Rule of alerts `{name}`: expected a kind of {', '.join(THRESHOLDS)} and a severity of {', '.join(SEVERITIES)}."
        )
    wrong = [word for word, value in found.items() if isinstance(value, bool) or not isinstance(value, int | float) or value < 0]
    if set(found) != wanted or wrong:
        raise SettingsError(
            f"Rule of alerts `{name}`: expected numbers for {', '.join(sorted(wanted))}, found {', '.join(sorted(map(str, found)))}."
        )
    return Rule(name, kind, severity, found)

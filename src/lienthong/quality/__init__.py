"""Judges rows against a contract: which rules each row breaks, in words, and whether a whole delivery may pass.

Pure: no database, no network, no clock; the day and the other datasets come in as arguments.
"""

from lienthong.quality.bounds import LAST_MIN_PERCENT, BoundCounts, columns_gone, drifted, judge_bounds, withdrawn_before
from lienthong.quality.check import CheckContext, Checked, check, issues_of_problems, promised_rules, words_of_rules
from lienthong.quality.closing import closed_touched, closed_until, period_code
from lienthong.quality.duplicates import duplicates, key_conflicts, repeats
from lienthong.quality.issue import ISSUE_SCHEMA, Issue, no_issues
from lienthong.quality.rules import RULES, RuleKind
from lienthong.quality.scheduling import newest_due, next_due, retry_after
from lienthong.quality.scores import Score, score

__all__ = [
    "ISSUE_SCHEMA",
    "LAST_MIN_PERCENT",
    "RULES",
    "BoundCounts",
    "CheckContext",
    "Checked",
    "Issue",
    "RuleKind",
    "Score",
    "check",
    "closed_touched",
    "closed_until",
    "columns_gone",
    "drifted",
    "duplicates",
    "issues_of_problems",
    "judge_bounds",
    "key_conflicts",
    "newest_due",
    "next_due",
    "no_issues",
    "period_code",
    "promised_rules",
    "repeats",
    "retry_after",
    "score",
    "withdrawn_before",
    "words_of_rules",
]

"""Judges rows against a contract: which rules each row breaks, in words, and whether a whole delivery may pass.

Pure: no database, no network, no clock; the day and the other datasets come in as arguments.
"""

from lienthong.quality.bounds import BoundCounts, judge_bounds
from lienthong.quality.check import CheckContext, Checked, check, issues_of_problems, promised_rules, words_of_rules
from lienthong.quality.duplicates import duplicates, key_conflicts, repeats
from lienthong.quality.issue import ISSUE_SCHEMA, Issue, no_issues
from lienthong.quality.rules import RULES, RuleKind
from lienthong.quality.scores import Score, score

__all__ = [
    "ISSUE_SCHEMA",
    "RULES",
    "BoundCounts",
    "CheckContext",
    "Checked",
    "Issue",
    "RuleKind",
    "Score",
    "check",
    "duplicates",
    "issues_of_problems",
    "judge_bounds",
    "key_conflicts",
    "no_issues",
    "promised_rules",
    "repeats",
    "score",
    "words_of_rules",
]

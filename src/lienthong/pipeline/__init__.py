"""Changes data: a run from source to published version, rows posted, a person's decision."""

from lienthong.pipeline.correct import Correction, correct_row, list_quarantine, show_quarantine
from lienthong.pipeline.order import reading_order
from lienthong.pipeline.run import apply_contract, approve_run, run_again, run_dataset, withdraw_run
from lienthong.pipeline.submit import Submission, submit_records
from lienthong.pipeline.workshop import OnProgress, Progress, RunOutcome, Workshop

__all__ = [
    "Correction",
    "OnProgress",
    "Progress",
    "RunOutcome",
    "Submission",
    "Workshop",
    "apply_contract",
    "approve_run",
    "correct_row",
    "list_quarantine",
    "reading_order",
    "run_again",
    "run_dataset",
    "show_quarantine",
    "submit_records",
    "withdraw_run",
]

"""What goes on beside the platform: links between two agencies' own systems, and requests on paper. What each must say, and what could have carried it.

Data goes through an intermediary. A link of its own stands only while the intermediary is not ready or its owner states that it cannot meet the
need; paper is not sent for what a connection gives. Each rule names its law with the days it was in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lienthong.access.agreement import Operation, Register, State
from lienthong.access.identity import Identity
from lienthong.access.legal import Citation, Instruments
from lienthong.contracts import Contract, Sharing

Words = tuple[str, str]  # Vietnamese, English

# Which link may be direct: Luật Giao dịch điện tử điều 42.4 (order of the ways to connect); NĐ 194/2025 điều 20 (three layers of intermediaries).
LAW_OF_LINKS = (Citation("20/2023/QH15", "42.4"), Citation("194/2025/NĐ-CP", "20"), Citation("47/2020/NĐ-CP", "46"))
# What is there is not asked for again: Luật Dữ liệu điều 11.2; before it NĐ 47/2020 điều 5 (no paper for what a connection gives).
LAW_OF_PAPER = (Citation("60/2024/QH15", "11.2"), Citation("47/2020/NĐ-CP", "5"))


class Ground(StrEnum):
    """Why a link may be direct. The owner of the intermediary says which."""

    NOT_READY = "not_ready"
    NOT_ENOUGH = "not_enough"


class LinkState(StrEnum):
    REPORTED = "reported"
    STATED = "stated"
    TO_MOVE = "to_move"
    ENDED = "ended"


class LinkAct(StrEnum):
    REPORT = "report"
    STATE = "state"
    DECLINE = "decline"
    END = "end"


class Could(StrEnum):
    """By what the platform could have carried it."""

    OWN = "own"  # the asking agency is its owner
    AGREEMENT = "agreement"  # one in force
    OPEN = "open"  # given to everybody
    DEFAULT = "default"  # an account within the days of default sharing
    ON_REQUEST = "on_request"  # nothing yet: somebody may ask for it
    NOTHING = "nothing"


@dataclass(frozen=True)
class LinkStep:
    """One act on a link: from which states, to which, and which words it must carry. `is_owners`: of the intermediary's owner alone."""

    before: frozenset[LinkState]
    after: LinkState
    needs: tuple[str, ...]
    is_owners: bool = False


@dataclass(frozen=True)
class Carried:
    """What could have carried it, and under which agreement."""

    by: Could
    agreement: str = ""

    @property
    def is_avoidable(self) -> bool:
        """Whether it could have gone through the platform at once, or by asking for an account."""
        return self.by in AVOIDABLE


AVOIDABLE = frozenset({Could.OWN, Could.AGREEMENT, Could.OPEN, Could.DEFAULT})
_GIVE = frozenset(Operation) - {Operation.SUBMIT}
_LIVE = frozenset({LinkState.REPORTED, LinkState.STATED, LinkState.TO_MOVE})
LINK_STEPS: Mapping[LinkAct, LinkStep] = {
    LinkAct.STATE: LinkStep(_LIVE, LinkState.STATED, ("ground", "reason", "document_no", "dated_on", "until"), is_owners=True),
    LinkAct.DECLINE: LinkStep(frozenset({LinkState.REPORTED, LinkState.STATED}), LinkState.TO_MOVE, ("reason", "until"), is_owners=True),
    LinkAct.END: LinkStep(_LIVE, LinkState.ENDED, ("reason",)),
}
LINK_WORDS: Mapping[LinkState, Words] = {
    LinkState.REPORTED: ("chờ ý kiến của cơ quan quản lý nền tảng", "waits for the word of the platform's owner"),
    LinkState.STATED: ("được kết nối trực tiếp có thời hạn", "may be direct until a day"),
    LinkState.TO_MOVE: ("phải chuyển qua nền tảng", "must move to the platform"),
    LinkState.ENDED: ("đã chấm dứt", "ended"),
}
GROUND_WORDS: Mapping[Ground, Words] = {
    Ground.NOT_READY: ("nền tảng chưa sẵn sàng", "the platform is not ready"),
    Ground.NOT_ENOUGH: ("nền tảng không đáp ứng được nhu cầu", "the platform cannot meet the need"),
}
COULD_WORDS: Mapping[Could, Words] = {
    Could.OWN: ("dữ liệu của chính cơ quan đề nghị", "the asking agency's own data"),
    Could.AGREEMENT: ("đã có thỏa thuận đang hiệu lực", "an agreement is in force"),
    Could.OPEN: ("dữ liệu mở", "open data"),
    Could.DEFAULT: ("dữ liệu chia sẻ mặc định", "shared by default"),
    Could.ON_REQUEST: ("có trên nền tảng, phải đề nghị chia sẻ", "on the platform, to be asked for"),
    Could.NOTHING: ("nền tảng chưa có", "not on the platform"),
}


def could_carry(register: Register, contracts: Mapping[str, Contract], asker: str, dataset: str, on: date) -> Carried:
    """By what the platform could have given an agency a dataset or service on a day, as far as the register says; the surest way first."""
    agreed = sorted(
        a.id
        for a in register.agreements
        if a.dataset == dataset
        and a.state is State.ACTIVE
        and a.is_in_term(on)
        and a.operations & _GIVE
        and Identity.parse(a.consumer).agency == asker
    )
    contract = contracts.get(dataset)
    if contract is not None and contract.agency == asker:
        return Carried(Could.OWN)
    if agreed:
        return Carried(Could.AGREEMENT, agreed[0])
    if contract is None or contract.sharing is Sharing.RESTRICTED:  # whether there is such data is not for everybody to know
        return Carried(Could.NOTHING)
    ways = {Sharing.OPEN: Could.OPEN, Sharing.DEFAULT: Could.DEFAULT}
    is_open = contract.sharing is not Sharing.OPEN or dataset not in register.unopened
    return Carried(ways.get(contract.sharing, Could.ON_REQUEST) if is_open else Could.ON_REQUEST)


def law_on(citations: Iterable[Citation], instruments: Instruments, on: date) -> str:
    """Those of a rule's texts that are in force on a day, in one line."""
    return "; ".join(
        str(each) for each in citations if (known := instruments.get(each.number)) is not None and known.is_in_force(on, each.article)
    )

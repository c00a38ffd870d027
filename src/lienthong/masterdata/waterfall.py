"""A match weight in words: one line for each thing that was compared, whose bits add up to the weight exactly.

Values are not repeated here: a line says how two values compare, never what they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from lienthong.masterdata.predicates import Features
from lienthong.masterdata.scoring import Part, Scorer

_RARE_BITS = 5.0  # rarity that makes a value at least 32 times as telling as an everyday one
_COMMON_BITS = -1.0  # half as telling

# The rungs of `kinds.py`; one that is not here (a rung of a comparison of two attributes) is shown by its own label.
_RUNGS = {
    "same": ("giống hệt", "the same"),
    "same with its form": ("giống hệt, cùng loại hình", "the same, with its legal form"),
    "regional spelling": ("giống nhau, viết theo vùng", "the same, spelt as in another region"),
    "other order": ("giống nhau, khác thứ tự từ", "the same words in another order"),
    "middle name missing": ("thiếu tên đệm ở một bên", "a middle name missing on one side"),
    "part of the middle name missing": ("thiếu một phần tên đệm", "part of the middle name missing"),
    "other order, middle name missing": ("khác thứ tự từ, thiếu tên đệm", "another order, a middle name missing"),
    "goes by another name": ("là tên gọi khác", "the other name the person goes by"),
    "one letter mistyped": ("gõ sai một chữ", "one letter mistyped"),
    "one letter": ("khác một chữ", "one letter differs"),
    "two letters": ("khác hai chữ", "two letters differ"),
    "one digit": ("khác một chữ số", "one digit differs"),
    "two digits": ("khác hai chữ số", "two digits differ"),
    "one sign": ("khác một ký tự", "one sign differs"),
    "family and given name": ("cùng họ và tên, khác tên đệm", "family and given name the same, middle name not"),
    "given name": ("chỉ cùng tên", "only the given name is the same"),
    "family name only": ("chỉ cùng họ", "only the family name is the same"),
    "swapped": ("đổi chỗ họ và tên", "family and given name swapped"),
    "alike": ("gần giống", "alike"),
    "same sound": ("đọc giống nhau", "the same in sound"),
    "same marks": ("cùng dấu thanh", "the same tone marks"),
    "other marks": ("khác dấu thanh", "other tone marks"),
    "day and month swapped": ("đảo ngày và tháng", "day and month swapped"),
    "same year, day unknown": ("cùng năm, một bên không có ngày", "the same year, the day unknown on one side"),
    "same day of another year": ("cùng ngày tháng, khác năm", "the same day of another year"),
    "same year": ("cùng năm", "the same year"),
    "years alike": ("năm gần giống", "years one digit apart"),
    "same unit": ("cùng đơn vị hành chính", "the same administrative unit"),
    "same unit today": ("nay cùng một đơn vị sau sắp xếp", "the same unit since the mergers"),
    "same words": ("cùng các từ", "the same words"),
    "most words": ("chung phần lớn các từ", "most of the words in common"),
    "half of the words": ("chung khoảng một nửa số từ", "about half of the words in common"),
    "some words": ("chung một số từ", "some words in common"),
    "hamlet alone": ("một bên chỉ ghi thôn, ấp, khu phố", "the same hamlet, and one side says no more"),
    "same numbers": ("cùng số nhà, thôn, tổ", "the same numbers of house and hamlet"),
    "nearly the same": ("gần như giống hệt", "nearly the same"),
    "different": ("khác nhau", "different"),
    "empty": ("một bên không có, không tính", "absent on one side, counts for nothing"),
}


@dataclass(frozen=True)
class Line:
    """One line: what was compared (or `prior`, `household`), the sentence in both languages, its bits, the sum so far."""

    name: str
    vietnamese: str
    english: str
    bits: float
    sum_bits: float


def waterfall(scorer: Scorer, left: Features, right: Features, titles: dict[str, str] | None = None) -> tuple[Line, ...]:
    """The weight of a pair, line by line: prior, own attributes, attributes a household shares, the household's limit.

    The last `sum_bits` is the weight itself. `titles`: comparison → its name in Vietnamese, from the contract.
    """
    titles = titles or {}
    parts = scorer.explain(left, right)
    own = [part for part in parts if not part.is_shared]
    shared = [part for part in parts if part.is_shared]
    lines = [
        _line(
            "prior",
            "Mức nền: hai bản ghi bất kỳ hiếm khi là một",
            "Before anything is compared: two records are seldom one",
            scorer.prior_bits,
            0.0,
        )
    ]
    for part in (*own, *shared):
        lines.append(_of_part(part, titles, lines[-1].sum_bits))
    limit = scorer.score(left, right) - lines[-1].sum_bits
    lines.append(
        _line(
            "household",
            "Trần trong hộ: người cùng hộ cũng giống nhau ở các mục chung",
            "Household limit: kin share these things too",
            limit,
            lines[-1].sum_bits,
        )
    )
    return tuple(lines)


def _of_part(part: Part, titles: dict[str, str], before: float) -> Line:
    title = titles.get(part.comparison, part.comparison)
    vietnamese, english = rung_words(part.label, titles)
    if part.rarity_bits >= _RARE_BITS:
        vietnamese, english = f"{vietnamese}, và là giá trị hiếm", f"{english}, and rare"
    elif part.rarity_bits <= _COMMON_BITS:
        vietnamese, english = f"{vietnamese}, nhưng là giá trị phổ biến", f"{english}, but common"
    if part.is_shared and part.rung >= 0:
        vietnamese, english = f"{vietnamese} (chung hộ)", f"{english} (shared by a household)"
    return _line(part.comparison, f"{title}: {vietnamese}", f"{part.comparison}: {english}", part.bits, before)


def rung_words(label: str, titles: dict[str, str]) -> tuple[str, str]:
    """The sentence of a rung in Vietnamese and English; one of a group begins with the member it speaks of (`address same words`)."""
    member, _, rung = label.partition(" ")
    if label in _RUNGS or rung not in _RUNGS:
        return _RUNGS.get(label, (label, label))
    vietnamese, english = _RUNGS[rung]
    return f"{titles.get(member, member).lower()} {vietnamese}", f"{member} {english}"


def _line(name: str, vietnamese: str, english: str, bits: float, before: float) -> Line:
    said = f"{bits:+.1f}"
    return Line(name, f"{vietnamese}: {said.replace('.', ',')} bit", f"{english}: {said} bits", bits, before + bits)

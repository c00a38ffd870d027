"""Every function of the mapping language: what it takes, what it gives, and what it does in one sentence. There are no others.

`docs/reference/mapping.md` is made from this table. No function reads a file, a clock or the network, none calls another, and what each can
give is bounded (`LONGEST_VALUE`), so every expression ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lienthong.contracts.mapping.tree import Kind

LONGEST_VALUE = 10_000  # characters of any text an expression makes

# What stands in a place: `text`, `number`, `truth`, or a plain text or whole number written out (`"text"`, `7`); `any` takes what the others give.
TEXT, NUMBER, TRUTH, ANY = "text", "number", "truth", "any"
WRITTEN, WHOLE, UNIT, DATASET, COLUMN = "written", "whole", "unit", "dataset", "column"


@dataclass(frozen=True)
class Function:
    """`takes`: what stands in each place; `more`: what stands in the places after them, any number of times; `gives` None: what its last place gives."""

    takes: tuple[str, ...]
    gives: Kind | None
    vi: str
    en: str
    example: str
    more: tuple[str, ...] = ()
    least: int | None = None  # how many places must be filled; None: all of `takes`
    is_operator: bool = False


FUNCTIONS: Mapping[str, Function] = {
    "trim": Function((TEXT,), Kind.TEXT, "bỏ khoảng trắng thừa", "without needless spaces", "trim([Họ tên])"),
    "upper": Function((TEXT,), Kind.TEXT, "chữ hoa", "in capitals", "upper([Mã])"),
    "lower": Function((TEXT,), Kind.TEXT, "chữ thường", "in small letters", "lower([Thư điện tử])"),
    "digits": Function((TEXT,), Kind.TEXT, "chỉ giữ chữ số", "its digits alone", "digits([Số CCCD])"),
    "replace": Function((TEXT, WRITTEN, WRITTEN), Kind.TEXT, "thay mọi chỗ", "every occurrence put in place of another", 'replace([Xã], "TT.", "Thị trấn ")'),
    "part": Function((TEXT, WRITTEN, WHOLE), Kind.TEXT, "phần thứ mấy khi tách theo dấu; số âm: đếm từ cuối", "which part between separators; a negative number counts from the end", 'part([Thửa/Tờ], "/", 1)'),
    "before": Function((TEXT, WRITTEN), Kind.TEXT, "đứng trước dấu đầu tiên", "what stands before the first separator", 'before([Ngày giờ], " ")'),
    "after": Function((TEXT, WRITTEN), Kind.TEXT, "đứng sau dấu đầu tiên", "what stands after the first separator", 'after([Số, ngày cấp], ",")'),
    "before_last": Function((TEXT, WRITTEN), Kind.TEXT, "đứng trước dấu cuối cùng", "what stands before the last separator", 'before_last([Họ và tên], " ")'),
    "after_last": Function((TEXT, WRITTEN), Kind.TEXT, "đứng sau dấu cuối cùng", "what stands after the last separator", 'after_last([Họ và tên], " ")'),
    "between": Function((TEXT, WRITTEN, WRITTEN), Kind.TEXT, "đứng giữa hai dấu", "what stands between two signs", 'between([Tên (bí danh)], "(", ")")'),
    "first": Function((TEXT, WHOLE), Kind.TEXT, "mấy ký tự đầu", "its first characters", "first([Mã hộ], 5)"),
    "last": Function((TEXT, WHOLE), Kind.TEXT, "mấy ký tự cuối", "its last characters", "last([Mã hộ], 4)"),
    "pad": Function((TEXT, WHOLE, WRITTEN), Kind.TEXT, "thêm ký tự vào trước cho đủ dài", "filled up at the front to a length", 'pad([Mã xã], 5, "0")'),
    "join": Function((WRITTEN, TEXT), Kind.TEXT, "nối các phần có giá trị", "its parts that have a value, joined", 'join(" ", [Họ], [Đệm], [Tên])', (TEXT,)),
    "first_of": Function((ANY, ANY), None, "giá trị đầu tiên có", "the first that has a value", "first_of([CCCD], [CMND])", (ANY,)),
    "choose": Function((TEXT, WRITTEN, WRITTEN), Kind.TEXT, "đổi theo bảng: giá trị, mã, …; số lẻ cuối cùng: còn lại", "by a table: value, code, …; a last one without a partner stands for all others", 'choose([Giới tính], "1", "Nam", "2", "Nữ")', (WRITTEN,)),
    "lookup": Function((TEXT, DATASET, COLUMN, COLUMN), Kind.TEXT, "tra trong bộ dữ liệu khác: tìm theo cột, lấy cột", "found in another dataset: by which column, giving which", 'lookup([Xã], "admin-units.units", "name_vi", "code")'),
    "number": Function((ANY,), Kind.NUMBER, "đọc là số; dấu thập phân nếu cần nói rõ", "read as a number; the decimal sign where it must be told", 'number([Diện tích], ",")', (WRITTEN,)),
    "convert": Function((NUMBER, UNIT, UNIT), Kind.NUMBER, "đổi đơn vị", "from one unit to another", 'convert([Diện tích (ha)], "ha", "m2")'),
    "round": Function((NUMBER, WHOLE), Kind.NUMBER, "làm tròn mấy chữ số", "rounded to so many decimals", "round([Tỷ lệ], 2)"),
    "abs": Function((NUMBER,), Kind.NUMBER, "giá trị tuyệt đối", "without its sign", "abs([Chênh lệch])"),
    "if": Function((TRUTH, ANY, ANY), None, "nếu đúng thì …, không thì …", "one where it is true, the other where it is not", 'if([Còn sống] = "x", "alive", "dead")'),
    "empty": Function((ANY,), Kind.TRUTH, "không có giá trị", "has no value", "empty([Ngày mất])"),
    "contains": Function((TEXT, WRITTEN), Kind.TRUTH, "có chứa", "holds a text", 'contains([Ghi chú], "đã mất")'),
    "starts": Function((TEXT, WRITTEN), Kind.TRUTH, "bắt đầu bằng", "begins with a text", 'starts([Số], "0")'),
    "not": Function((TRUTH,), Kind.TRUTH, "không", "not so", "not empty([Mã])", is_operator=True),
    "and": Function((TRUTH, TRUTH), Kind.TRUTH, "và", "both", "empty([A]) and empty([B])", is_operator=True),
    "or": Function((TRUTH, TRUTH), Kind.TRUTH, "hoặc", "one of them", "empty([A]) or empty([B])", is_operator=True),
    **{sign: Function((ANY, ANY), Kind.TRUTH, vi, en, f"[Số người] {sign} 0", is_operator=True) for sign, vi, en in (
        ("=", "bằng", "equal"), ("!=", "khác", "different"), ("<", "nhỏ hơn", "less"), ("<=", "không lớn hơn", "at most"),
        (">", "lớn hơn", "more"), (">=", "không nhỏ hơn", "at least"),
    )},
    **{sign: Function((NUMBER, NUMBER), Kind.NUMBER, vi, en, f"[Nam] {sign} [Nữ]", is_operator=True) for sign, vi, en in (
        ("+", "cộng", "added"), ("-", "trừ", "less"), ("*", "nhân", "multiplied"), ("/", "chia", "divided"),
    )},
}  # fmt: skip


def render_functions() -> str:
    """The table of functions as Markdown."""
    rows = [f"| `{name}` | `{_escaped(f.example)}` | {f.vi} | {f.en} |" for name, f in FUNCTIONS.items()]
    return "| | For example | Cho | Gives |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")

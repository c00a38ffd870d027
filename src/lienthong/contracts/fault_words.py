"""What is wrong with a contract, said in Vietnamese: faults are noted in English, and who reads them at the terminal reads Vietnamese first.

Names, values and words of the standard stay as they are. A fault nobody has put into Vietnamese is told as it was noted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from lienthong.standards.phrasebook import Phrasebook

_WHOLE: Mapping[str, str] = {
    "missing": "còn thiếu",
    "is not understood": "không hiểu từ này",
    "expected exactly one table": "cần đúng một bảng",
    "expected at least one property": "cần ít nhất một trường",
    "options of no standard": "có tùy chọn mà không có chuẩn",
    "a state secret": "bí mật nhà nước",
    "state secrets stay out of the platform: take the property out (Decree 278/2025)": "nền tảng không tiếp nhận bí mật nhà nước: bỏ trường này (Nghị định 278/2025)",
    "a secret stands here itself": "bí mật được viết thẳng ở đây",
    "expected `geometry`, or `longitude` and `latitude`, or `unit`": "cần `geometry`, hoặc `longitude` và `latitude`, hoặc `unit`",
    "a dataset is one table; describe another in a contract of its own": "một bộ dữ liệu là một bảng; bảng khác có hợp đồng riêng",
    "a title in English": "tên bằng tiếng Anh",
    "expected the attribute of the usual name, of kind `person_name`": "cần thuộc tính của tên thường dùng, kiểu `person_name`",
    "only an identifier or a code has parts that count": "chỉ mã số hoặc mã mới có các phần được tính",
    "only a place is part of another unit today": "chỉ địa bàn (`place`) mới thuộc đơn vị khác sau sắp xếp",
    "only an `other_name` or a `weak` identifier stands beside another attribute": "chỉ `other_name` hoặc mã số `weak` đứng cạnh thuộc tính khác",
    "expected the attribute of the number that replaced it, a `unique` identifier": "cần thuộc tính của số thay cho nó, là mã số `unique`",
    "a score looks nothing up": "điểm không tra trong bộ dữ liệu khác",
    "expected an expression that gives a number or is true or false": "cần biểu thức cho ra số, hoặc đúng, sai",
    "each source has a name of its own": "mỗi nguồn có tên riêng",
    "give each a name of its own": "đặt cho mỗi cái một tên riêng",
    "give each dataset its own id": "mỗi bộ dữ liệu có mã riêng",
    "a rule that is not understood": "một quy tắc không hiểu được",
    "give each an `id` of its own": "đặt cho mỗi quy tắc một `id` riêng",
    "name its `columns`": "nêu `columns` của quy tắc",
    "the rule reads no property": "quy tắc không đọc trường nào",
    "RE2 kind: no look-around, no back-references": "loại RE2: không nhìn trước sau, không tham chiếu ngược",
    "write `type: custom`, `engine: lienthong`: what cannot be judged is never ignored": "viết `type: custom`, `engine: lienthong`: điều không xét được thì không bao giờ bỏ qua",
    "in quotes": "đặt trong ngoặc kép",
    "name the `standard`": "nêu `standard`",
    "put it in quotes": "đặt trong ngoặc kép",
    "see the Open Data Contract Standard v3.1": "xem Open Data Contract Standard v3.1",
    "which law, by its number": "luật nào, theo số hiệu",
    "which law lets a use be hidden or shown later": "luật nào cho phép ẩn hoặc cho xem muộn hơn",
    "write ${NAME} or secret:file/NAME; the operator keeps what it is": "viết ${TÊN} hoặc secret:file/TÊN; người vận hành giữ giá trị",
}
_PATTERNS: Mapping[str, str] = {
    r"did you mean (?P<a>`.*`)\?": "có phải là {a}?",
    r"such as (?P<a>`.*`)": "ví dụ {a}",
    r"see (?P<a>docs/\S+)": "xem {a}",
    r"expected one of (?P<a>.+?)": "cần một trong {a}",
    r"expected true or false": "cần `true` hoặc `false`",
    r"expected text": "cần chữ",
    r"expected a list": "cần một danh sách",
    r"expected a list of values": "cần một danh sách giá trị",
    r"expected names and values": "cần các cặp tên và giá trị",
    r"expected a date such as 2025-07-01": "cần ngày như 2025-07-01",
    r"expected a time such as `06:30`": "cần giờ như `06:30`",
    r"expected a form like (?P<a>`[^`]*`)": "cần dạng như {a}",
    r"expected a number from 0, percentages to 100": "cần số từ 0, phần trăm đến 100",
    r"expected a number from 0 to (?P<a>\d+)": "cần số từ 0 đến {a}",
    r"expected a day from 1 to (?P<a>\d+)": "cần ngày từ 1 đến {a}",
    r"expected days from 0 to (?P<a>\d+)": "cần số ngày từ 0 đến {a}",
    r"expected hours up to (?P<a>\d+)": "cần số giờ, nhiều nhất {a}",
    r"expected small letters, digits and `_`, a letter first, at most (?P<a>\d+)": "cần chữ thường, chữ số và `_`, bắt đầu bằng chữ, nhiều nhất {a}",
    r"expected true, false or the code of an agency": "cần `true`, `false` hoặc mã cơ quan",
    r"there is no standard (?P<a>`.*`)": "không có chuẩn {a}",
    r"there is no connector (?P<a>`.*`)": "không có bộ đọc {a}",
    r"there is no licence (?P<a>`.*`)": "không có giấy phép {a}",
    r"there is no rule (?P<a>`.*`)": "không có quy tắc {a}",
    r"(?P<a>`.*`) is not understood": "không hiểu {a}",
    r"(?P<a>`.*`) is no property": "{a} không phải là trường",
    r"(?P<a>`.*`) is no property that dates a row": "{a} không phải là trường ghi ngày của hàng",
    r"(?P<a>`.*`) stands twice": "{a} có hai lần",
    r"(?P<a>`.*`) stands more than once": "{a} có nhiều lần",
    r"(?P<a>`.*`) is part of the key and must be `required: true`": "{a} thuộc khóa nên phải có `required: true`",
    r"the name (?P<a>`.*`) is taken": "tên {a} đã có",
    r"(?P<a>`.*`) is the id of another contract too": "{a} cũng là mã của một hợp đồng khác",
    r"expected a primary key at positions 1, 2, …, found none": "cần khóa chính ở các vị trí 1, 2, …, chưa trường nào là khóa",
    r"expected a primary key at positions 1, 2, …, found (?P<a>.+)": "cần khóa chính ở các vị trí 1, 2, …, đang là {a}",
    r"(?P<a>`.*`) is no date": "{a} không phải ngày",
    r"(?P<a>`.*`) is no property that is a date": "{a} không phải là trường ngày",
    r"(?P<a>`.*`) is no property, number or date": "{a} không phải là trường, số hay ngày",
    r"(?P<a>`.*`) is (?P<b>`.*`) in a dataset that is open to all": "{a} thuộc mức {b} trong bộ dữ liệu mở cho mọi người",
    r"(?P<a>`.*`) (?P<b>\S+) is more than (?P<c>`.*`) (?P<d>\S+)": "{a} {b} lớn hơn {c} {d}",
    r"Standard (?P<a>`.*`) has no option (?P<b>\[.*\]); it has (?P<c>\[.*\])\.": "chuẩn {a} không có tùy chọn {b}; có {c}",
    r"there is no kind of rule (?P<a>`.*`)": "không có loại quy tắc {a}",
    r"(?P<a>`.*`) has no such parameter": "{a} không có tham số này",
    r"(?P<a>`.*`) needs it": "{a} cần từ này",
    r"expected (?P<a>`[^`]*`) and (?P<b>`[^`]*`)": "cần {a} và {b}",
    r"(?P<a>`.*`) is no regular expression": "{a} không phải biểu thức chính quy",
    r"two rules are called (?P<a>`.*`)": "hai quy tắc cùng tên {a}",
    r"ends (?P<a>\S+), not after it begins (?P<b>\S+)": "hết hiệu lực {a}, không sau ngày bắt đầu {b}",
    r"rowsMin (?P<a>\d+) is more than rowsMax (?P<b>\d+)": "rowsMin {a} lớn hơn rowsMax {b}",
}  # fmt: skip
_FOUND = re.compile(r"(?P<fault>.*), found (?P<what>`.*`)", re.DOTALL)  # what stands there instead may follow any of them
_BOOK = Phrasebook(_WHOLE, _PATTERNS)


def in_vietnamese(words: str) -> str:
    """What is wrong, or what is suggested, in Vietnamese; as it was where it has none."""
    found = _FOUND.fullmatch(words)
    head = None if found is None else _BOOK.find(found["fault"])
    if found is not None and head is not None:
        return f"{head}, đang là {found['what']}"
    return _BOOK.find(words) or words

"""The stamp of a state secret on a document: such a document stays out of the platform, whoever hands it in.

The three levels are those of the Law on protection of state secrets (29/2018/QH14, article 8). That a platform of shared data carries none
is said by Decree 47/2020, article 1.2, and Decree 278/2025.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lienthong.errors import HostileInputError
from lienthong.standards.text import tidy

_STAMP = re.compile(r"(?:ĐỘ MẬT\s*:\s*)?(?:TUYỆT MẬT|TỐI MẬT|MẬT)")


def stamp_among(texts: Iterable[str | None]) -> str | None:
    """The first of the texts that is a stamp, alone and in capitals; a word such as `Mật` (molasses) is none."""
    return next((text for text in map(tidy, filter(None, texts)) if _STAMP.fullmatch(text)), None)


def refuse_stamped(texts: Iterable[str | None], where: str) -> None:
    """Raises HostileInputError where one of the texts above a table is the stamp of a state secret."""
    stamp = stamp_among(texts)
    if stamp is not None:
        raise HostileInputError(
            f"{where}: the document is stamped `{stamp}`: state secrets stay out of the platform.",
            hint="Keep it where the law on state secrets has it, hand in a file without what is secret, and have the operator remove this one.",
            vi=f"{where}: văn bản có dấu `{stamp}`; nền tảng không tiếp nhận bí mật nhà nước.",
            hint_vi="Hãy giữ văn bản theo pháp luật về bảo vệ bí mật nhà nước, chỉ nộp tệp không có nội dung mật và nhờ người vận hành gỡ tệp này.",
        )

"""Who asks: X-Road's four parts, `VN/GOV/<agency code>/<subsystem>`, the same name at every door."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lienthong.errors import BadRequest

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-_]{0,63}")
PARTS = 4


@dataclass(frozen=True)
class Identity:
    """A subsystem of an agency."""

    instance: str
    member_class: str
    agency: str
    subsystem: str

    @classmethod
    def parse(cls, text: str) -> Identity:
        """The identity a text names. Raises BadRequest naming both sides."""
        parts = text.split("/")
        if len(parts) != PARTS or not all(_PART.fullmatch(part) for part in parts):
            raise BadRequest(
                f"Expected an identifier such as `VN/GOV/H10.12/tro-cap`, found `{text[:80]}`.",
                vi=f"Cần mã như `VN/GOV/H10.12/tro-cap`, nhận được `{text[:80]}`.",
            )
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.instance}/{self.member_class}/{self.agency}/{self.subsystem}"

"""What an answer says of a version that ends: since when that is known (RFC 9745), from when it is answered no longer (RFC 8594), and where it is told."""

from __future__ import annotations

from datetime import UTC, datetime, time
from email.utils import format_datetime

from lienthong.clock import VIETNAM
from lienthong.contracts import Contract


def retiring_headers(contract: Contract) -> tuple[tuple[str, str], ...]:
    """`Deprecation`, `Sunset` and `Link`; nothing where no breaking change is announced."""
    found = contract.retiring
    if found is None:
        return ()
    ends = datetime.combine(found.ends_on, time(), VIETNAM).astimezone(UTC)
    return (
        ("Deprecation", f"@{int(found.since.timestamp())}"),
        ("Sunset", format_datetime(ends, usegmt=True)),
        ("Link", f'</datasets/{contract.id}>; rel="deprecation"; type="text/html"'),
    )

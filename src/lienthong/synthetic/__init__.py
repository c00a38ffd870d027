"""Invents rows that keep a contract's promises: for the sandbox, for forms, for tests. No person in them has ever lived, no number can be anyone's.

Pure: no database, no network, no clock; the day, the seed and other datasets' rows come in as arguments.
"""

from lienthong.synthetic.faults import Fault, with_faults
from lienthong.synthetic.kinds import TYPES
from lienthong.synthetic.lists import published_list
from lienthong.synthetic.profile import SMALLEST_COUNT, ColumnProfile, Profile, profile_of
from lienthong.synthetic.rows import invent
from lienthong.synthetic.spellings import as_another_office_wrote
from lienthong.synthetic.written import written

__all__ = [
    "SMALLEST_COUNT",
    "TYPES",
    "ColumnProfile",
    "Fault",
    "Profile",
    "as_another_office_wrote",
    "invent",
    "profile_of",
    "published_list",
    "with_faults",
    "written",
]

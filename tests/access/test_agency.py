"""Agencies by date: who is closed, and who stands for a code after every merger since."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from lienthong.access import Agencies, Agency, PublicKey, Register, Subsystem, words_of_closed

BEGAN, LATER = date(2020, 1, 1), date(2025, 3, 1)


def tree(*agencies: Agency) -> Agencies:
    return Agencies({agency.code: agency for agency in agencies})


def test_a_closed_agency_is_replaced_through_every_merger_since() -> None:
    known = tree(
        Agency("H10.04", "Sở Kế hoạch", valid_from=BEGAN, valid_to=date(2025, 3, 1), successors=("H10.05",)),
        Agency("H10.05", "Sở Tài chính", valid_from=BEGAN, valid_to=date(2025, 7, 1), successors=("H19.05",)),
        Agency("H19.05", "Sở Tài chính Đồng Nai", valid_from=BEGAN),
    )
    assert known.replaced_by("H10.04", date(2025, 4, 1)) == ("H10.05",)
    assert known.replaced_by("H10.04", date(2025, 7, 1)) == ("H19.05",)
    assert not known.is_closed("H10.04", date(2025, 2, 28))
    assert known.is_closed("H10.04", date(2025, 3, 1))


def test_a_code_nobody_registered_is_not_closed() -> None:
    assert not tree().is_closed("H99", LATER)
    assert tree().replaced_by("H99", LATER) == ()


def test_a_refusal_names_who_took_the_place() -> None:
    assert words_of_closed("H10.04", ("H10.05",))[1] == "Agency H10.04 is closed, replaced by H10.05"
    assert words_of_closed("H10.04", ())[1] == "Agency H10.04 is closed"


@given(st.lists(st.tuples(st.sampled_from("ABCDE"), st.sampled_from("ABCDE"), st.sampled_from("ABCDE")), max_size=8))
def test_no_circle_of_parents_or_successors_goes_on_for_ever(links: list[tuple[str, str, str]]) -> None:
    known = tree(*(Agency(code, code, "", parent, BEGAN, LATER, (after,)) for code, parent, after in links))
    for code in "ABCDE":
        assert len(known.above(code)) <= 5
        assert code not in known.replaced_by(code, LATER)


def test_the_heir_of_a_subsystem_bears_one_of_its_keys_and_no_other_is_taken_for_it() -> None:
    day, mine, other = date(2026, 7, 1), PublicKey({"x": "mine"}), PublicKey({"x": "other"})
    agencies = Agencies({"H1.1": Agency("H1.1", "Cũ", valid_to=day, successors=("H1.2",)), "H1.2": Agency("H1.2", "Mới")})

    def register(**keys: PublicKey) -> Register:
        names = {"VN/GOV/H1.1/kho": mine, **{f"VN/GOV/H1.2/{name}": key for name, key in keys.items()}}
        return Register({name: Subsystem(name, name.split("/")[2], "x", "x", (key,)) for name, key in names.items()}, agencies=agencies)

    assert register(moi=mine, kho=other).heir_of("VN/GOV/H1.1/kho", day) == "VN/GOV/H1.2/moi"
    assert register(moi=mine).heir_of("VN/GOV/H1.1/kho", date(2026, 6, 30)) == "VN/GOV/H1.1/kho", "before the day"
    for nobody in (register(), register(kho=other), register(a=mine, b=mine)):
        assert nobody.heir_of("VN/GOV/H1.1/kho", day) == "VN/GOV/H1.1/kho"
    assert register(moi=mine).heir_of("VN/GOV/H1.9/la", day) == "VN/GOV/H1.9/la"

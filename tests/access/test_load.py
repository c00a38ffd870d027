"""Agreements are read with every fault at once, each with its file and place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lienthong.access import load_agreements, new_key_pair
from lienthong.errors import AgreementError
from tests.factories import make_contract

AGREEMENT = """
id: A1
provider: H10.02
consumer: VN/GOV/H10.12/tro-cap
dataset: test.people
state: active
fields: [record_no, full_nane]
purposes: {xet-tro-cap: {vi: Xét, en: Benefits}}
operations: [look_up, fly]
legal_basis: law
term: {from: 2026-01-01}
"""


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_an_absent_folder_is_an_empty_register(tmp_path: Path) -> None:
    assert load_agreements(tmp_path / "none").agreements == ()


def test_every_fault_is_told_with_its_file(tmp_path: Path) -> None:
    private, _ = new_key_pair()
    write(tmp_path, "subsystems/a.yaml", f"identifier: VN/GOV/H10.12/tro-cap\nkeys:\n- jwk: {private}\n")
    write(tmp_path, "subsystems/b.yaml", "identifier: nobody\ncolour: red\n")
    write(tmp_path, "agreements/a.yaml", AGREEMENT)
    with pytest.raises(AgreementError) as caught:
        load_agreements(tmp_path, {"test.people": make_contract()})
    told = str(caught.value)
    for expected in ("a.yaml: keys[0]", "private", "b.yaml", "colour", "nobody", "operations", "fly"):
        assert expected in told


def test_a_field_that_does_not_exist_is_named_with_the_nearest(tmp_path: Path) -> None:
    _, public = new_key_pair()
    write(tmp_path, "subsystems/a.yaml", f"identifier: VN/GOV/H10.12/tro-cap\nkeys:\n- jwk: {public}\n")
    write(tmp_path, "agreements/a.yaml", AGREEMENT.replace(", fly", ""))
    with pytest.raises(AgreementError, match=r"full_nane.*full_name"):
        load_agreements(tmp_path, {"test.people": make_contract()})


def test_a_right_register_is_read(tmp_path: Path) -> None:
    _, public = new_key_pair()
    write(tmp_path, "subsystems/a.yaml", f"identifier: VN/GOV/H10.12/tro-cap\nkeys:\n- jwk: {public}\n")
    write(tmp_path, "agreements/a.yaml", AGREEMENT.replace(", fly", "").replace("full_nane", "full_name"))
    register = load_agreements(tmp_path, {"test.people": make_contract()})
    assert [a.id for a in register.between("VN/GOV/H10.12/tro-cap", "test.people")] == ["A1"]

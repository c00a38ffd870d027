"""Reads the folder of subsystems and agreements, and says every fault at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lienthong.access.agreement import Agreement, PublicKey, Register, Subsystem
from lienthong.access.reading import Fault, agency_of, check_contract, day_of, read_agreement, unknown_words
from lienthong.contracts import Contract
from lienthong.errors import AgreementError

SUBSYSTEM_WORDS = frozenset({"identifier", "title_vi", "title_en", "keys", "active"})
SECRET_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})


def load_agreements(folder: Path, contracts: Mapping[str, Contract] | None = None) -> Register:
    """The register in `folder/subsystems/*.yaml` and `folder/agreements/*.yaml`; an absent folder is an empty register.

    Checked against the contracts when they are given. Raises AgreementError with every fault and its file.
    """
    faults: list[Fault] = []
    subsystems: dict[str, Subsystem] = {}
    for path in sorted((folder / "subsystems").glob("*.yaml")):
        subsystem = _subsystem(_read(path, faults), str(path), faults)
        if subsystem is not None:
            subsystems[subsystem.identifier] = subsystem
    agreements: list[Agreement] = []
    for path in sorted((folder / "agreements").glob("*.yaml")):
        agreement = read_agreement(_read(path, faults), str(path), faults)
        if agreement is None:
            continue
        agreements.append(agreement)
        if agreement.consumer not in subsystems:
            faults.append((str(path), f"the consumer `{agreement.consumer}` is no known subsystem", "describe it under subsystems/"))
        if contracts is not None:
            check_contract(agreement, contracts, str(path), faults)
    ids = [a.id for a in agreements]
    faults += [(str(folder), f"two agreements are called `{i}`", "") for i in sorted({i for i in ids if ids.count(i) > 1})]
    if faults:
        raise AgreementError(f"{len(faults)} faults in `{folder}`.", faults=tuple(faults))
    return Register(subsystems, tuple(sorted(agreements, key=lambda a: a.id)))


def _read(path: Path, faults: list[Fault]) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        faults.append((str(path), f"not readable as YAML: {error}".splitlines()[0], ""))
        return {}
    if not isinstance(found, dict):
        faults.append((str(path), "expected keys and values", ""))
        return {}
    return found


def _subsystem(found: dict[str, Any], where: str, faults: list[Fault]) -> Subsystem | None:
    before = len(faults)
    unknown_words(found, SUBSYSTEM_WORDS, where, faults)
    agency = agency_of(found.get("identifier"), f"{where}: identifier", faults)
    keys = []
    for n, key in enumerate(found.get("keys") or []):
        place = f"{where}: keys[{n}]"
        jwk = key.get("jwk") if isinstance(key, dict) else None
        if not isinstance(jwk, dict) or not jwk.get("kid"):
            faults.append((place, "expected `jwk` with a `kid`", ""))
        elif SECRET_PARTS & set(jwk):
            faults.append((place, "a private or shared key stands here", "keep it with the subsystem; only the public part belongs here"))
        else:
            keys.append(PublicKey(jwk, day_of(key.get("valid_from"), place, faults), day_of(key.get("valid_to"), place, faults)))
    if len(faults) > before or agency is None:
        return None
    return Subsystem(
        found["identifier"],
        agency,
        str(found.get("title_vi", "")),
        str(found.get("title_en", "")),
        tuple(keys),
        bool(found.get("active", True)),
    )

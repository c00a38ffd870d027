"""Contracts applied in a process of its own, to be killed from outside. Arguments: database URL, `each` or `planned`, the contracts' documents as a JSON file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lienthong.contracts import build
from lienthong.pipeline import apply_contract, changing
from tests.factories import make_workshop


def main() -> None:
    url, how, file = sys.argv[1:]
    contracts = [build(document, document["id"]) for document in json.loads(Path(file).read_text("utf-8"))]
    workshop = make_workshop(url, *contracts, apply=False)
    if how == "planned":
        changing.apply_planned(workshop, contracts, changing.digest_of(changing.plan(workshop, contracts)))
    else:
        for contract in contracts:
            apply_contract(workshop, contract)


if __name__ == "__main__":
    main()

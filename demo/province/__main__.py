"""`python -m demo.province --out DIR --persons 20000 --seed 1`."""

from __future__ import annotations

import argparse
from pathlib import Path

from demo.province.generate import generate

if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--persons", type=int, default=20_000)
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    manifest = generate(given.out, given.persons, given.seed, on_step=lambda step: print(step, flush=True))
    print(manifest.counts)

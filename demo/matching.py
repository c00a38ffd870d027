"""Who is one across the demo's registers: with the models that lie beside the demo where they fit, else with models learnt on the spot.

`python -m demo.matching` learns them anew from a demo that was loaded (LIENTHONG_HOME) and writes `demo/models`, or the folder named.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lienthong.masterdata.entities import Entity
    from lienthong.masterdata.model import Model

MODELS = Path(__file__).parent / "models"
LEARNT_FROM = "learnt-from.json"
AT_ONCE = 2  # cores a newcomer's machine has


def match(place: Any, scale: int, seed: int, models: Path = MODELS) -> list[dict[str, Any]]:
    """A line of the card for each entity. A later start finds the models in force; what changed since was matched as it came.

    Where a start was cut off between the model and its matching, the matching is done now.
    """
    from lienthong.cli.words import err
    from lienthong.masterdata.entities import entities_of

    entities = sorted(entities_of(place.contracts).values(), key=lambda entity: -len(entity.registers))  # the longest begins
    with err.status("So khớp · matching"), ThreadPoolExecutor(AT_ONCE) as pool:
        lines = list(pool.map(lambda entity: _matched(place, entity, scale, seed, models), entities))
    return sorted(lines, key=lambda line: str(line["entity"]))


def _matched(place: Any, entity: Entity, scale: int, seed: int, models: Path) -> dict[str, Any]:
    from lienthong.masterdata.model import write_model
    from lienthong.pipeline import match_all, match_models
    from lienthong.settings import read_settings

    began = time.monotonic()
    with place.database.connect() as connection:
        model = match_models.in_force(connection, entity)
    if model is None:
        model = shipped(entity, scale, seed, models) or match_models.train_entity(place, entity)
        write_model(model, read_settings().models / f"{entity.name}.json")
        match_models.adopt(place, entity, model)
    standing = match_models.standing(place, entity)
    if not standing["goldens"]:
        match_all.match_all(place, entity, model)
        standing = match_models.standing(place, entity)
    return {"entity": entity.name, **standing, "seconds": round(time.monotonic() - began, 2)}


def shipped(entity: Entity, scale: int, seed: int, models: Path = MODELS) -> Model | None:
    """The model that lies there; None where it was learnt from another province or compares other attributes than the contracts say today."""
    from lienthong.masterdata.model import ModelError, read_model

    path = models / f"{entity.name}.json"
    if not path.exists() or json.loads((models / LEARNT_FROM).read_text("utf-8")) != learnt_from(scale, seed):
        return None
    try:
        model = read_model(path)
    except (ModelError, ValueError):  # of an older version: comparisons have other levels
        return None
    return model if model.plan == entity.plan else None


def learnt_from(scale: int, seed: int) -> dict[str, Any]:
    """What names a province: a model is of one."""
    from demo.province import VERSION

    return {"persons": scale, "seed": seed, "version": VERSION}


def main() -> None:
    """Learn every model again from what was loaded."""
    from demo.run import ROOT, SEED
    from lienthong.masterdata.entities import entities_of
    from lienthong.masterdata.model import write_model
    from lienthong.pipeline import match_models
    from lienthong.settings import read_settings
    from lienthong.store import Database
    from lienthong.store.embedded import EmbeddedServer
    from lienthong.web.services import make_workshop

    home = Path(os.environ.get("LIENTHONG_HOME", "var")).absolute()
    os.environ.update(LIENTHONG_HOME=str(home), LIENTHONG_DATASETS=str(ROOT / "datasets"), LIENTHONG_ACCEPT_SYNTHETIC_IDS="true")
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else MODELS
    into.mkdir(parents=True, exist_ok=True)
    server = EmbeddedServer(home)
    try:
        place = make_workshop(read_settings(), Database(server.start()))
        for name, entity in entities_of(place.contracts).items():
            print(name, flush=True)
            write_model(match_models.train_entity(place, entity), into / f"{name}.json")
    finally:
        server.stop()
    scale = int(next((home / "province").glob(f"{SEED}-*")).name.partition("-")[2])
    (into / LEARNT_FROM).write_text(json.dumps(learnt_from(scale, SEED)) + "\n", "utf-8")


if __name__ == "__main__":
    main()

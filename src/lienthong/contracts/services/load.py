"""One door in for services: `services/<agency>/<service>/service.yaml` with `openapi.json` (`.yaml`) or `service.wsdl` beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lienthong.contracts.faults import Fault
from lienthong.contracts.services.openapi import plain_yaml
from lienthong.contracts.services.reading import read_service, understand
from lienthong.errors import ContractError, ServiceError

DESCRIPTIONS = ("openapi.json", "openapi.yaml", "service.wsdl")


@dataclass(frozen=True)
class ServiceFiles:
    """A service as its provider hands it in. `understood`: what was worked out of the description (`understand`)."""

    definition: Mapping[str, Any]
    description: str
    understood: Mapping[str, Any]


def read_folder(folder: Path) -> ServiceFiles:
    """The service of one folder, its description checked. Raises ServiceError with every fault."""
    path = folder / "service.yaml"
    beside = [folder / name for name in DESCRIPTIONS if (folder / name).is_file()]
    if len(beside) != 1:
        raise ServiceError(f"`{folder}`: expected one of {', '.join(DESCRIPTIONS)} beside service.yaml, found {len(beside)}.")
    try:
        definition, description = plain_yaml(path.read_text("utf-8")), beside[0].read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceError(f"`{path}` cannot be read: {type(error).__name__}.") from error
    if not isinstance(definition, dict):
        raise ServiceError(f"`{path}`: expected names and values.")
    understood = understand(definition, description)
    read_service(definition, description, understood)
    return ServiceFiles(definition, description, understood)


def load_service_folder(folder: Path) -> list[ServiceFiles]:
    """Every service below a folder, in order of path. Raises ServiceError naming all faults of all files."""
    found, faults = [], list[Fault]()
    for path in sorted(folder.rglob("service.yaml")):
        try:
            found.append(read_folder(path.parent))
        except ContractError as error:
            faults += [(f"{path}: {place}", what, hint) for place, what, hint in error.faults] or [(str(path), error.message, "")]
    if faults:
        raise ServiceError(f"{len(faults)} faults in `{folder}`.", faults=tuple(faults))
    return found

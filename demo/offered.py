"""A service of an agency's own, called through the platform: the business register answers by tax code, without its data being copied.

Where it is must be known before the platform's server starts, so its port is chosen first.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lienthong.pipeline import Workshop

FOLDER = Path(__file__).parent / "services" / "doanh-nghiep"
SERVICE, VERSION = "doanh-nghiep.tra-cuu", "1.0"


def environment(secret: str) -> dict[str, str]:
    """Where the agencies' services will answer, and how the platform proves itself to them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    return {
        "LIENTHONG_SOURCE_DEMO_ENTERPRISES_URL": address,
        "LIENTHONG_SOURCE_DEMO_SERVICES_URL": address,
        "LIENTHONG_SOURCE_DEMO_ENTERPRISES_SECRET": secret,
        "LIENTHONG_SOURCE_DEMO_SERVICES_SECRET": secret,
        "LIENTHONG_PROVIDER_DOANH_NGHIEP": address,
        "LIENTHONG_PROVIDER_DOANH_NGHIEP_KEY": secret,
        "LIENTHONG_PROVIDER_NETWORKS": "127.0.0.0/8",
    }


def port() -> int:
    return int(os.environ["LIENTHONG_PROVIDER_DOANH_NGHIEP"].rpartition(":")[2])


def publish(place: Workshop) -> dict[str, Any]:
    """Register and publish it once; gives what the card says of it."""
    from lienthong.access import Actor, Role
    from lienthong.contracts.services import ServiceState, read_folder
    from lienthong.pipeline.service_acts import move_service, register_service

    actor = Actor("can-bo-mau", "H10.04", frozenset({Role.INTEGRATOR}))
    kept = register_service(place, actor, read_folder(FOLDER))
    if kept.state == ServiceState.DRAFT:
        kept = move_service(place, actor, SERVICE, VERSION, ServiceState.PUBLISHED)
    return {"service": kept.service, "version": kept.version, "state": str(kept.state)}

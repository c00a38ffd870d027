"""What an agency promises of a service of its own: its operations, its limits, and whether a new version breaks its callers."""

from lienthong.contracts.services.comparing import ServiceChange, compare_services, is_breaking
from lienthong.contracts.services.load import ServiceFiles, load_service_folder, read_folder
from lienthong.contracts.services.model import (
    Access,
    Cache,
    Checks,
    Credentials,
    Kind,
    Limits,
    Owner,
    Retry,
    Route,
    Service,
    ServiceState,
    TimeOuts,
)
from lienthong.contracts.services.reading import read_service, understand

__all__ = [
    "Access",
    "Cache",
    "Checks",
    "Credentials",
    "Kind",
    "Limits",
    "Owner",
    "Retry",
    "Route",
    "Service",
    "ServiceChange",
    "ServiceFiles",
    "ServiceState",
    "TimeOuts",
    "compare_services",
    "is_breaking",
    "load_service_folder",
    "read_folder",
    "read_service",
    "understand",
]

"""One province and one server for all doors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lienthong.store.embedded import EmbeddedServer
from tests.conftest import fresh_database, open_folder
from tests.doors.province import Province, serving


@pytest.fixture(scope="package")
def province(postgres_server: EmbeddedServer) -> Iterator[Province]:
    with open_folder() as home, fresh_database(postgres_server) as url, serving(url, home) as served:
        yield served

"""One demo for all stories of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.demo_process import DemoProcess
from tests.conftest import open_folder


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoProcess]:
    with open_folder() as home:
        process = DemoProcess(home)
        try:
            yield process
        finally:
            process.stop()


@pytest.fixture(scope="module")
def card(demo: DemoProcess) -> dict[str, Any]:
    return demo.start()

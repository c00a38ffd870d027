"""Processes that are measured run as an installation runs: with their bytecode kept, so that the compiler is not what is measured."""

from __future__ import annotations

import os

INSTALLED = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}

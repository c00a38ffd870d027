"""The terminal door: words in, words out."""

from lienthong.cli.main import main

__all__ = ["main"]

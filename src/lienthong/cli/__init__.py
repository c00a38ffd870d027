"""The terminal door: words in, words out."""

import gc


def main() -> None:
    """Run the command the terminal asks for."""
    gc.disable()  # what loading the commands makes stays: looking through it again and again took a seventh of their start (measured)
    from lienthong.cli.main import main as run  # after the line above

    gc.freeze()
    gc.enable()
    run()


__all__ = ["main"]

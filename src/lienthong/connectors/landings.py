"""Which batches of a stream are safe in the landing: only then is what they came from acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Landings:
    """Counts batches given and batches landed. `given` is called by who reads, what it gives back by who lands."""

    def __init__(self) -> None:
        self._open = 0
        self._changed = threading.Condition()

    def given(self, acknowledge: Callable[[], None]) -> Callable[[], None]:
        """What is to be called when one more batch has landed: acknowledges it, once."""
        with self._changed:
            self._open += 1
        done = threading.Event()

        def landed() -> None:
            if done.is_set():
                return
            done.set()
            try:
                acknowledge()
            finally:
                with self._changed:
                    self._open -= 1
                    self._changed.notify_all()

        return landed

    def wait(self, seconds: float) -> bool:
        """Until everything given has landed, at most so long; whether it has."""
        until = time.monotonic() + seconds
        with self._changed:
            while self._open:
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

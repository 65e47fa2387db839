"""Ctrl-C at the right moment: work that must not stop halfway. Imports only the standard library."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StoppedAtOnceError(KeyboardInterrupt):
    """A second Ctrl-C: what was being done is half done."""


@contextmanager
def held_back() -> Iterator[None]:
    """Let the first Ctrl-C wait until the block has ended; a second one ends it at once, with a `StoppedAtOnceError`.

    Examples
    --------
    >>> _ = signal.signal(signal.SIGINT, signal.default_int_handler)  # Python's own; work in the background has none
    >>> steps = []
    >>> try:
    ...     with held_back():
    ...         signal.raise_signal(signal.SIGINT)
    ...         steps.append("done")
    ... except KeyboardInterrupt:
    ...     steps.append("stopped")
    >>> steps
    ['done', 'stopped']
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # only the main thread is interrupted, and only if there is somebody to tell
        return
    waiting: list[FrameType | None] = []

    def note(_number: int, frame: FrameType | None) -> None:
        if waiting:
            raise StoppedAtOnceError
        waiting.append(frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        before(signal.SIGINT, waiting[0])

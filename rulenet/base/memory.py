"""Pauses the garbage collector while many objects are made that all stay. Imports only the standard library."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Looking through a hundred thousand new objects for garbage, again and again, takes a third of the time and finds none.

    Examples
    --------
    >>> with no_garbage_collection():
    ...     gc.isenabled()
    False
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

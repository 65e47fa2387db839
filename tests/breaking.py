"""Something goes wrong in the middle of a run: an error, Ctrl-C, a trap in a pickle."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any


def before_call(number: int, real: Callable[..., Any], act: Callable[[], object]) -> Callable[..., Any]:
    """The function itself, but for what happens before its call `number`, from 1."""
    count = itertools.count(1)

    def call(*arguments: Any, **named: Any) -> Any:
        if next(count) == number:
            act()
        return real(*arguments, **named)

    return call


def raising(error: BaseException) -> Callable[[], None]:
    """What raises this error."""

    def act() -> None:
        raise error

    return act


class Marker:
    """Unpickling this leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)

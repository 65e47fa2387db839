"""Progress messages and bars for long work, on standard error. Imports rich."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from rulenet.base.console import SafeConsole, printable

Item = TypeVar("Item")
SECONDS = 30.0  # between lines where there is no terminal


def is_main_process() -> bool:
    """Whether this is the only process, or the first of those started by a launcher (torchrun, accelerate).

    Only the main process shows progress, writes checkpoints and saves the model.
    """
    return os.environ.get("RANK", "0") == "0"


class Progress:
    """Progress messages and bars, if `verbose`; silent in all processes but the first."""

    def __init__(self, verbose: int = 0) -> None:
        self.verbose = verbose if is_main_process() else 0
        self.console = SafeConsole(stderr=True)

    def say(self, message: str) -> None:
        """Print one line about the stage that begins."""
        if self.verbose:
            self.console.print(printable(message, "dim"), soft_wrap=True)

    def track(self, items: Sequence[Item], label: str, *, done: int = 0, total: int | None = None) -> Iterator[Item]:
        """Iterate with a bar that disappears at the end, or where there is no terminal with a line now and then.

        Earlier work has finished `done` items; there are `total` of them in all, default: these. The time that is left is that of all.
        """
        if not self.verbose:
            yield from items
            return
        total = max(total or 0, done + len(items))
        if not self.console.is_terminal:
            yield from self._lines(items, label, done, total)
            return
        columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
        with Bar(
            TextColumn("{task.description}", style="dim", markup=False), *columns, console=self.console, transient=True
        ) as bar:
            yield from bar.track(items, total=total, completed=done, description=label)

    def _lines(self, items: Sequence[Item], label: str, done: int, total: int) -> Iterator[Item]:
        started = said = time.monotonic()
        for n, item in enumerate(items, start=1):
            yield item
            now = time.monotonic()
            if now - said >= SECONDS:
                said, left = now, (now - started) / n * (total - done - n)
                minutes = f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
                self.say(f"{label}: {(done + n) / total:.0%} of {total:,}, about {minutes} left")

"""Progress messages and bars for long work, on standard error. Imports rich."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from rulenet.base.console import SafeConsole, printable

Item = TypeVar("Item")


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

    def track(self, items: Sequence[Item], label: str, *, done: int = 0) -> Iterator[Item]:
        """Iterate, in a terminal with a bar that disappears at the end; an earlier run has finished `done` items."""
        if not self.verbose or not self.console.is_terminal:
            yield from items
            return
        columns = BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn()
        with Bar(
            TextColumn("{task.description}", style="dim", markup=False), *columns, console=self.console, transient=True
        ) as bar:
            yield from bar.track(items, total=done + len(items), completed=done, description=label)

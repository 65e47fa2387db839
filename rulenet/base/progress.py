"""Progress of long work, on the terminal's error stream. Imports rich."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

Item = TypeVar("Item")


def is_main_process() -> bool:
    """Whether this process is alone, or the first of those that a launcher (torchrun, accelerate) started.

    It alone shows progress, writes checkpoints and should save the model.
    """
    return os.environ.get("RANK", "0") == "0"


class Progress:
    """Shows what is going on, or nothing; of several processes, only the first does.

    Parameters
    ----------
    verbose
        0: silent; 1: stages and bars.
    """

    def __init__(self, verbose: int = 0) -> None:
        self.verbose = verbose if is_main_process() else 0
        self.console = Console(stderr=True, highlight=False)

    def say(self, message: str) -> None:
        """One line about the stage that begins."""
        if self.verbose:
            self.console.print(f"[dim]{message}[/dim]")

    def track(self, items: Sequence[Item], label: str, *, done: int = 0) -> Iterator[Item]:
        """Iterate with a bar that vanishes at the end; where output is no terminal, without.

        Parameters
        ----------
        done
            How many items were done before, in an earlier run.
        """
        if not self.verbose or not self.console.is_terminal:
            yield from items
            return
        columns = (
            TextColumn("[dim]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Bar(*columns, console=self.console, transient=True) as bar:
            yield from bar.track(items, total=done + len(items), completed=done, description=label)

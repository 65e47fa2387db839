"""Progress of long work, on the terminal's error stream. Imports rich."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

Item = TypeVar("Item")


class Progress:
    """Shows what is going on, or nothing.

    Parameters
    ----------
    verbose
        0: silent; 1: stages and bars.
    """

    def __init__(self, verbose: int = 0) -> None:
        self.verbose = verbose
        self.console = Console(stderr=True, highlight=False)

    def say(self, message: str) -> None:
        """One line about the stage that begins."""
        if self.verbose:
            self.console.print(f"[dim]{message}[/dim]")

    def track(self, items: Sequence[Item], label: str) -> Iterator[Item]:
        """Iterate with a bar that vanishes at the end; where output is no terminal, without."""
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
            yield from bar.track(items, description=label)

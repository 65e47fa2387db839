"""The only way to the terminal: whatever is printed here, no text in it steers the screen or is read as markup. Imports rich."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from rulenet.base.harmless import harmless


class SafeConsole(Console):
    """A console of rich whose only escape sequences are rich's own, for styles and bars.

    All that rich prints becomes segments of text and style in `render`; here their text is made harmless. On standard error nothing
    that cannot be written stops the work.
    """

    def __init__(self, *, stderr: bool = False, width: int | None = None, is_plain: bool = False) -> None:
        plain: dict[str, Any] = {"no_color": True, "force_terminal": False} if is_plain else {}
        super().__init__(stderr=stderr, width=width, markup=False, emoji=False, highlight=False, **plain)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render an object into segments."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=harmless(segment.text))

    def print(self, *objects: Any, **options: Any) -> None:
        """Print objects; see `rich.console.Console.print`."""
        try:
            super().print(*objects, **options)
        except OSError:
            if not self.stderr:
                raise
            self.quiet = True  # full or closed: nobody reads it any more

    def on_broken_pipe(self) -> None:
        """Let the command line decide how to end, not rich; called while the error is being handled."""
        raise


def printable(text: str, style: str = "") -> Text:
    """Text on one line, for a cell of a table or a part of a line.

    Examples
    --------
    >>> printable("[b]a\\nb").plain
    '[b]a␊b'
    """
    return Text(harmless(text, one_line=True), style)

"""What a result needs to show itself: one method that lists its blocks. Imports base and the two writers."""

from __future__ import annotations

from abc import ABC, abstractmethod

from rulenet.base.drawing import Block
from rulenet.draw import html, terminal


class Shown(ABC):
    """A result that shows itself with `print`, on a page and in a notebook."""

    @abstractmethod
    def blocks(self) -> list[Block]:
        """What is drawn, from top to bottom."""

    def to_html(self) -> str:
        """A self-contained HTML fragment: its own style, no script, no outside address; all text escaped."""
        return html.fragment(self.blocks())

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return terminal.to_text(self.blocks())

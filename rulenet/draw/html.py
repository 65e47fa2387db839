"""Blocks drawn as HTML through the Jinja2 templates in this folder. Imports base; Jinja2 when something is drawn.

This knows the primitives only, and makes no markup in Python. Every value that a template prints goes through `harmless` and is escaped,
so no template has to remember it. Nothing points outside of the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rulenet.base.drawing import Bar, Block, cell_text
from rulenet.base.harmless import harmless

if TYPE_CHECKING:
    from jinja2 import Environment


def fragment(blocks: Sequence[Block]) -> str:
    """Blocks in a frame, to be put into a page or shown by a notebook: its own style, no script.

    Examples
    --------
    >>> from rulenet.base.drawing import Prose
    >>> fragment([Prose("5 < 6")]).endswith("<p>5 &lt; 6</p></section></div>")
    True
    """
    return _environment().get_template("fragment.html.j2").render(blocks=blocks)


def page(title: str, blocks: Sequence[Block], *, language: str = "en") -> str:
    """A whole page, with a script only where a table can be sorted; its policy lets no other script run and nothing be fetched."""
    script = _environment().get_template("sort.js").render()
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = _environment().get_template("page.html.j2")
    return template.render(title=title, blocks=blocks, language=language, script_hash=known)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: object) -> object:
        return value if isinstance(value, Markup) else harmless(str(value))

    loader = FileSystemLoader(Path(__file__).with_name("templates"), encoding="utf-8")
    made = Environment(loader=loader, autoescape=True, finalize=finalize, undefined=StrictUndefined, auto_reload=False)
    made.trim_blocks = made.lstrip_blocks = True
    made.filters |= {"cell_text": cell_text, "class_name": lambda block: type(block).__name__}
    made.tests["bar"] = lambda cell: isinstance(cell, Bar)
    return made

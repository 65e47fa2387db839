"""What the commands share: two consoles, JSON output, complaints. Imports rich only."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of text.")]

TextColumn = Annotated[str | None, typer.Option("--text", help="Column of the texts; default: found by its name.")]
LabelColumn = Annotated[str | None, typer.Option("--label", help="Column of the labels; default: found by its name.")]
Split = Annotated[
    str | None, typer.Option(help="Rows of this split only (column 'split', or the split of a hub data set).")
]


def print_json(data: Any) -> None:
    """One JSON document on standard output, untouched by colours and line width."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def complain(message: str) -> None:
    """Say what went wrong, on standard error; the text is never read as markup."""
    err.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)

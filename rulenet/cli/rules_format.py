"""`rulenet rules format`."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from rulenet.cli.console import AsJson, complain, out, print_json
from rulenet.errors import ParameterError, RuleFileError


def format_files(
    files: Annotated[
        list[Path], typer.Argument(help="Rule files; - reads standard input and writes standard output.", metavar="FILE…")
    ],
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit status 1 if something would change.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Write nothing; show what would change, line by line.")] = False,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Bring rule files into one layout: order of fields, indentation, quotes, blank lines.

    Every comment stays beside what it stands beside, the order of rules and words stays, and so does what the file says: that is checked
    before anything is written. Files that it includes are not touched. Exit status 1 if `--check` finds something, 2 if a file has faults.

    Example: `rulenet rules format rules/ag_news.yaml --diff`
    """
    from rulenet.rules.writing.files import load_text, save_text
    from rulenet.rules.writing.format import format_text

    if Path("-") in files:
        if len(files) > 1 or check or diff or as_json:
            raise ParameterError("- stands alone: rulenet rules format - < old.yaml > new.yaml")
        try:
            text = sys.stdin.buffer.read().decode()
        except UnicodeDecodeError as error:
            raise ParameterError(f"standard input: byte {error.start} is not UTF-8") from None
        sys.stdout.buffer.write(format_text(text, "standard input").encode())
        return
    changed: list[str] = []
    refused: list[str] = []
    for file in files:
        try:
            old = load_text(file)
            new = format_text(old, str(file))
            if new != old:
                changed.append(str(file))
                if not check and not diff:
                    save_text(file, new)
        except RuleFileError as error:
            refused.append(str(file))
            complain(str(error))
            continue
        if diff and new != old and not as_json:
            show_diff(old, new, str(file))
    if as_json:
        print_json({"files": len(files), "changed": changed, "refused": refused, "written": not check and not diff})
    else:
        for name in changed:
            out.print(f"{name}: {'would change' if check or diff else 'formatted'}", soft_wrap=True, markup=False)
        mark = ("✗", "red") if refused or (check and changed) else ("✓", "green")
        same = len(files) - len(changed) - len(refused)
        counts = f" {len(files)} file{'s' * (len(files) != 1)}, {len(changed)} changed, {same} in order"
        out.print(Text.assemble(mark, counts if not check and not diff else counts.replace("changed", "to change")))
    if refused:
        raise typer.Exit(2)
    raise typer.Exit(1 if check and changed else 0)


def show_diff(old: str, new: str, name: str) -> None:
    """Print what changes between two texts, as a unified diff with colours."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), name, name, lineterm=""):
        out.print(Text(line, style=colours.get(line[:1], "")), soft_wrap=True)

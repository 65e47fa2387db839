"""`rulenet rules format`."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, complain, data_stream, print_json, say, say_lines, say_result
from rulenet.errors import ParameterError, RuleFileError


def format_files(
    files: Annotated[list[Path], Argument(help="Rule files; - for standard input and output.", metavar="FILE")],
    check: Annotated[bool, Option("--check", help="Write nothing; exit status 1 if a file would change.")] = False,
    diff: Annotated[bool, Option("--diff", help="Write nothing; show what would change, line by line.")] = False,
    as_json: AsJson = False,
) -> None:
    """Format rule files in one style: order of fields, indentation, quotes, blank lines.

    Comments stay where they belong, and the order of rules and words does not change. The meaning of the file does not change either:
    this is checked before anything is written. Included files are not formatted. Exit status 1 if a file would change with `--check`,
    2 if a file has faults.

    Example: `rulenet rules format rules/ag_news.yaml --diff`
    """
    from rulenet.rules.writing.files import load_text, save_text
    from rulenet.rules.writing.format import format_text

    if Path("-") in files:
        if len(files) > 1 or check or diff or as_json:
            raise ParameterError(
                "- cannot be combined with files or options: rulenet rules format - < old.yaml > new.yaml"
            )
        _format_standard_input()
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
            complain(error)
            continue
        if diff and not as_json:
            name = str(file)
            say_lines(difflib.unified_diff(old.splitlines(), new.splitlines(), name, name, lineterm=""))
    if as_json:
        print_json({"files": len(files), "changed": changed, "refused": refused, "written": not check and not diff})
    else:
        for name in changed:
            say(f"{name}: {'would change' if check or diff else 'formatted'}")
        same = len(files) - len(changed) - len(refused)
        verb = "to change" if check or diff else "changed"
        counts = f"{counted(len(files), 'file')}, {len(changed)} {verb}, {same} unchanged"
        say_result(not refused and not (check and changed), counts)
    if refused:
        raise typer.Exit(2)
    raise typer.Exit(1 if check and changed else 0)


def _format_standard_input() -> None:
    from rulenet.rules.writing.format import format_text

    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise ParameterError(f"standard input: byte {error.start} is not valid UTF-8: convert it first") from None
    formatted = format_text(text, "standard input")
    if sys.stdout.isatty():
        data_stream().write(formatted)
    else:
        sys.stdout.buffer.write(formatted.encode())

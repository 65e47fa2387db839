"""`rulenet rules lint`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from rulenet.cli.console import AsJson, out, print_json


def lint(
    files: Annotated[list[Path], typer.Argument(help="Rule files.", metavar="FILE…")],
    as_json: AsJson = False,
) -> None:
    """Check rule files: every fault with its line and what to do.

    Exit status 1 if there is a fault; warnings alone give 0.

    Example: `rulenet rules lint rules/ag_news.yaml`
    """
    from rulenet.rules.lint import lint as lint_file

    found = {str(file): lint_file(file) for file in files}
    errors = sum(fault.severity == "error" for faults in found.values() for fault in faults)
    warnings = sum(map(len, found.values())) - errors
    if as_json:
        rows = [
            {"file": file, "line": f.line, "rule": f.rule, "severity": f.severity, "message": f.message}
            for file, faults in found.items()
            for f in faults
        ]
        print_json({"errors": errors, "warnings": warnings, "faults": rows})
    else:
        for file, faults in found.items():
            for fault in faults:
                colour = "red" if fault.severity == "error" else "yellow"
                out.print(
                    Text.assemble(f"{fault.place(file)}: ", (fault.severity, colour), f": {fault.text}"),
                    soft_wrap=True,
                )
        mark = ("✗", "red") if errors else ("✓", "green")
        out.print(
            Text.assemble(mark, f" {len(files)} file{'s' * (len(files) != 1)}, {errors} errors, {warnings} warnings")
        )
    raise typer.Exit(1 if errors else 0)

"""`rulenet rules lint`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from rulenet.cli.console import AsJson, out, print_json

_COLOURS = {"error": "red", "warning": "yellow", "info": "dim"}


def lint(
    files: Annotated[list[Path], typer.Argument(help="Rule files.", metavar="FILE…")],
    hints: Annotated[bool, typer.Option("--hints", help="Also list what is only good to know.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check rule files: every fault and smell with its line and what to do.

    Dead, doubled and contained rules, patterns that hit everything, words that are looked for otherwise than written, examples that
    contradict their rule. Exit status 1 if there is a fault; warnings alone give 0.

    Example: `rulenet rules lint rules/ag_news.yaml`
    """
    from rulenet.rules.lint import lint as lint_file

    found = {str(file): lint_file(file) for file in files}
    count = Counter(fault.severity for faults in found.values() for fault in faults)
    errors = count["error"]
    if as_json:
        rows = [
            {"file": f.file or file, "line": f.line, "rule": f.rule, "severity": f.severity, "message": f.message}
            for file, faults in found.items()
            for f in faults
        ]
        print_json({"errors": errors, "warnings": count["warning"], "hints": count["info"], "faults": rows})
    else:
        for file, faults in found.items():
            for fault in faults if hints else [fault for fault in faults if fault.severity != "info"]:
                colour = _COLOURS[fault.severity]
                out.print(
                    Text.assemble(f"{fault.place(file)}: ", (fault.severity, colour), f": {fault.text}"),
                    soft_wrap=True,
                )
        mark = ("✗", "red") if errors else ("✓", "green")
        total = [f"{len(files)} file{'s' * (len(files) != 1)}", f"{errors} errors", f"{count['warning']} warnings"]
        if count["info"] and not hints:
            total.append(f"{count['info']} hints (--hints lists them)")
        out.print(Text.assemble(mark, f" {', '.join(total)}"))
    raise typer.Exit(1 if errors else 0)

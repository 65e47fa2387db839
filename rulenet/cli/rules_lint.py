"""`rulenet rules lint`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from rulenet.cli.console import AsJson, out, print_json
from rulenet.errors import RuleFileError

if TYPE_CHECKING:
    from rulenet.rules.lint.fix import Change

_COLOURS = {"error": "red", "warning": "yellow", "info": "dim"}


def lint(
    files: Annotated[list[Path], typer.Argument(help="Rule files.", metavar="FILE…")],
    hints: Annotated[bool, typer.Option("--hints", help="Also list what is only good to know.")] = False,
    repair: Annotated[
        bool,
        typer.Option("--fix", help="First repair what is safe to repair; comments, order and layout stay."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check rule files: every fault and smell with its line and what to do.

    Dead, doubled and contained rules, patterns that hit everything, words that are looked for otherwise than written, examples that
    contradict their rule. `--fix` first repairs slips that can mean only one thing (`wieght`, `confidence: 90%`).
    Exit status 1 if there is a fault; warnings alone give 0.

    Example: `rulenet rules lint rules/ag_news.yaml`
    """
    from rulenet.rules.lint.lint import lint as lint_file

    fixed = {str(file): _fixed(file) if repair else [] for file in files}
    found = {str(file): lint_file(file) for file in files}
    count = Counter(fault.severity for faults in found.values() for fault in faults)
    errors = count["error"]
    if as_json:
        rows = [
            {"file": f.file or file, "line": f.line, "rule": f.rule, "severity": f.severity, "message": f.message}
            for file, faults in found.items()
            for f in faults
        ]
        done = [
            {"file": file, "line": change.line, "rule": change.rule, "message": change.message}
            for file, changes in fixed.items()
            for change in changes
        ]
        counts = {"errors": errors, "warnings": count["warning"], "hints": count["info"]}
        print_json({**counts, "faults": rows, **({"fixed": done} if repair else {})})
    else:
        for file, faults in found.items():
            for change in fixed[file]:
                out.print(Text.assemble(f"{file}:{change.line}: ", ("fixed", "green"), f": {change}"), soft_wrap=True)
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
        if repair:
            total.append(f"{sum(map(len, fixed.values()))} repairs")
        out.print(Text.assemble(mark, f" {', '.join(total)}"))
    raise typer.Exit(1 if errors else 0)


def _fixed(file: Path) -> list[Change]:
    """Repair a file; what was done. A file that cannot be read is left to the linter."""
    from rulenet.rules.lint.fix import fix
    from rulenet.rules.writing.files import load_text, save_text

    try:
        text = load_text(file)
    except RuleFileError:
        return []
    repaired, changes = fix(text)
    if changes:
        save_text(file, repaired)
    return changes

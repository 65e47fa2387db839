"""`rulenet rules lint`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, print_json, say, say_result
from rulenet.errors import Fault, RuleFileError

_COLOURS = {"error": "red", "warning": "yellow", "info": "dim"}


def lint(
    files: Annotated[list[Path], typer.Argument(help="Rule files.", metavar="FILE")],
    hints: Annotated[bool, typer.Option("--hints", help="Also list hints.")] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--fix", help="First repair what can be repaired safely; comments, order and layout do not change."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check rule files: list every error and warning with its line and what to do.

    Finds rules that can never fire, duplicate and contained rules, patterns that match everything, words that are matched differently
    from how they are written, and examples that contradict their rule. `--fix` first repairs mistakes that can mean only one thing
    (`wieght`, `confidence: 90%`). A comment `# rulenet: ignore RN303`, at the end of a line, above a rule or at the top of the file,
    hides a warning or hint. Exit status 1 if there is an error; with warnings only, 0.

    Example: `rulenet rules lint rules/ag_news.yaml`
    """
    from rulenet.rules.lint.lint import lint as lint_file

    fixed = {str(file): _fixed(file) if repair else [] for file in files}
    found = {str(file): lint_file(file) for file in files}
    count = Counter(fault.severity for faults in found.values() for fault in faults)
    errors = count["error"]
    if as_json:
        rows = [_row(fault, file) for file, faults in found.items() for fault in faults]
        done = [_row(fault, file) for file, faults in fixed.items() for fault in faults]
        counts = {"errors": errors, "warnings": count["warning"], "hints": count["info"]}
        print_json({**counts, "faults": rows, **({"fixed": done} if repair else {})})
    else:
        for file, faults in found.items():
            for fault in fixed[file]:
                say(f"{fault.place(file)}: ", ("fixed", "green"), f": {fault.text}")
            for fault in faults if hints else [fault for fault in faults if fault.severity != "info"]:
                say(f"{fault.place(file)}: ", (fault.severity, _COLOURS[fault.severity]), f": {fault.text}")
        total = [counted(len(files), "file"), counted(errors, "error"), counted(count["warning"], "warning")]
        if count["info"] and not hints:
            total.append(f"{counted(count['info'], 'hint')} (see --hints)")
        if repair:
            total.append(counted(sum(map(len, fixed.values())), "repair"))
        say_result(not errors, ", ".join(total))
    raise typer.Exit(1 if errors else 0)


def _fixed(file: Path) -> list[Fault]:
    """Repair a file and return what was done; a file that cannot be read is left to the linter."""
    from rulenet.rules.lint.repair import repair
    from rulenet.rules.writing.files import load_text, save_text

    try:
        text = load_text(file)
    except RuleFileError:
        return []
    repaired, faults = repair(text, str(file), file)
    if faults:
        save_text(file, repaired)
    return faults


def _row(fault: Fault, file: str) -> dict[str, Any]:
    return {
        "file": fault.file or file,
        "line": fault.line,
        "rule": fault.rule,
        "severity": fault.severity,
        "code": fault.code.number,
        "name": fault.code.name,
        "message": fault.message,
    }

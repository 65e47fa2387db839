"""`rulenet rules lint`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, print_json, say, say_result
from rulenet.cli.rule_paths import STDIN, find_rule_files, read_stdin
from rulenet.errors import Fault, ParameterError, RuleFileError

MAX_SHOWN = 200
MAX_IN_JSON = 1_000

_BEYOND_READING = "RN400"  # from here on come the errors of files that could be read: logic and examples
_COLOURS = {"error": "red", "warning": "yellow", "info": "dim"}


# The faults of each file, each with whether `--fix` can repair it.
Checked: TypeAlias = Mapping[str, list[tuple[Fault, bool]]]


def lint(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Rule files, folders, patterns such as 'rules/*.yaml'; - for standard input.", metavar="PATH"
        ),
    ],
    hints: Annotated[bool, typer.Option("--hints", help="Also list hints.")] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--fix", help="First repair what can be repaired safely; comments, order and layout do not change."
        ),
    ] = False,
    stdin_name: Annotated[
        Path | None,
        typer.Option(help="What standard input is a new version of: for messages, and for files that it includes."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check rule files: list every error and warning with its line and what to do.

    Finds rules that can never fire, duplicate and contained rules, patterns that match everything, words that are matched differently
    from how they are written, and examples that contradict their rule. In a folder, all .yaml and .yml files are checked that have a line
    `rulenet:` or `rules:`, also below it. `--fix` first repairs mistakes that can mean only one thing (`wieght`, `confidence: 90%`);
    messages say which. A comment `# rulenet: ignore RN303`, at the end of a line, above a rule or at the top of the file, hides a warning
    or hint. Exit status 1 if there is an error; with warnings only, 0.

    Example: `rulenet rules lint rules/`
    """
    where = find_rule_files(paths)
    if repair and Path("-") in where.files:
        raise ParameterError("--fix changes files, and - is standard input: save it to a file first")
    fixed = {_name(file, stdin_name): _fixed(file) if repair else [] for file in where.files}
    found = {_name(file, stdin_name): _checked(file, stdin_name) for file in where.files}
    _leave_out_included(found, where.searched)
    failed = any(fault.severity == "error" for faults in found.values() for fault, _ in faults)
    if as_json:
        print_json(_as_json(found, where.skipped, fixed if repair else None))
    else:
        _list(found, fixed, hints=hints)
        for reason in where.skipped[:MAX_SHOWN]:
            say(("skipped ", "dim"), reason)
        say_result(not failed, _total(found, fixed if repair else None, hints=hints))
    raise typer.Exit(1 if failed else 0)


def _as_json(found: Checked, skipped: list[str], fixed: Mapping[str, list[Fault]] | None) -> dict[str, Any]:
    """Everything as one object; `fixed`: None without `--fix`."""
    count = _count(found)
    shown = _first(found, MAX_IN_JSON, hints=True)
    rows = [{**_row(fault, file), "fixable": can_fix} for file, faults in shown.items() for fault, can_fix in faults]
    done = [_row(fault, file) for file, faults in (fixed or {}).items() for fault in faults]
    return {
        "files": len(found),
        "errors": count["error"],
        "warnings": count["warning"],
        "hints": count["info"],
        "fixable": _fixable(found),
        "faults": rows,
        "left_out": count.total() - len(rows),
        "skipped": skipped,
        **({} if fixed is None else {"fixed": done[:MAX_IN_JSON]}),
    }


def _list(found: Checked, fixed: Mapping[str, list[Fault]], *, hints: bool) -> None:
    """A line for each repair and each fault."""
    for file, faults in _first(found, MAX_SHOWN, hints=hints).items():
        for fault in fixed[file][:MAX_SHOWN]:
            say(f"{fault.place(file)}: ", ("fixed", "green"), f": {fault.text}")
        for fault, can_fix in faults:
            mark = (" (fixable with --fix)", "dim") if can_fix else ""
            say(f"{fault.place(file)}: ", (fault.severity, _COLOURS[fault.severity]), f": {fault.text}", mark)
        if any(fault.severity == "error" and "RN001" < fault.code.number < _BEYOND_READING for fault, _ in faults):
            say((f"{file}: its rules are checked for warnings once these errors are gone", "dim"))
    count = _count(found)
    listed = count.total() - (0 if hints else count["info"])
    if listed > MAX_SHOWN:
        say(f"… and {counted(listed - MAX_SHOWN, 'more fault')}; correct these first")


def _total(found: Checked, fixed: Mapping[str, list[Fault]] | None, *, hints: bool) -> str:
    """How many files, faults of each kind and repairs there are."""
    count, fixable = _count(found), _fixable(found)
    total = [counted(len(found), "file"), counted(count["error"], "error"), counted(count["warning"], "warning")]
    if count["info"] and not hints:
        total.append(f"{counted(count['info'], 'hint')} (see --hints)")
    if fixed is not None:
        total.append(counted(sum(map(len, fixed.values())), "repair"))
    elif fixable:
        total.append(f"{fixable:,} fixable with --fix")
    return ", ".join(total)


def _count(found: Checked) -> Counter[str]:
    return Counter(fault.severity for faults in found.values() for fault, _ in faults)


def _fixable(found: Checked) -> int:
    return sum(can_fix for faults in found.values() for _, can_fix in faults)


def _name(file: Path, stdin_name: Path | None) -> str:
    return str(stdin_name or STDIN) if str(file) == "-" else str(file)


def _checked(file: Path, stdin_name: Path | None) -> list[tuple[Fault, bool]]:
    """The faults of a file, each with whether `--fix` can repair it."""
    from rulenet.rules.lint.lint import lint_text
    from rulenet.rules.reading.sources import read_text

    if str(file) == "-":
        text, path = read_stdin(), stdin_name
    else:
        try:
            text, path = read_text(file), file
        except RuleFileError as error:
            return [(fault, False) for fault in error.faults]
    faults = lint_text(text, _name(file, stdin_name), path)
    if not any(fault.edit for fault in faults):
        return [(fault, False) for fault in faults]
    from rulenet.rules.lint.repair import can_fix  # slow to import

    return list(zip(faults, can_fix(text, faults), strict=True))


def _leave_out_included(found: dict[str, list[tuple[Fault, bool]]], searched: Collection[Path]) -> None:
    """A file without rules is right if another file of the same folder includes it."""
    from rulenet.rules.file import codes
    from rulenet.rules.reading.sources import included_in

    parts = [path for path in searched if any(fault.code is codes.NO_RULES for fault, _ in found[str(path)])]
    included = {name for path in searched for name in included_in(path)} if parts else set()
    for path in parts:
        if path.resolve() in included:
            found[str(path)] = [pair for pair in found[str(path)] if pair[0].code is not codes.NO_RULES]


def _first(found: Checked, most: int, *, hints: bool) -> dict[str, list[tuple[Fault, bool]]]:
    """At most so many faults, errors before warnings before hints, in their order."""
    order = ("error", "warning", "info") if hints else ("error", "warning")
    flat = [
        (order.index(f.severity), file, i)
        for file, faults in found.items()
        for i, (f, _) in enumerate(faults)
        if f.severity in order
    ]
    chosen = {(file, i) for _, file, i in sorted(flat, key=lambda item: item[0])[:most]}
    return {file: [pair for i, pair in enumerate(faults) if (file, i) in chosen] for file, faults in found.items()}


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

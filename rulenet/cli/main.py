"""The `rulenet` command: collects the commands, one file each.

To add a command: a file with a function, its import and one line below, a row in the docs, and a test in tests/cli. Heavy imports
go inside the function, so that `rulenet rules lint` starts fast.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rulenet.base.version import __version__
from rulenet.cli import (
    calibrate,
    demo,
    distill,
    evaluate,
    explain,
    export,
    history,
    info,
    predict,
    recipes,
    rules_apply,
    rules_diff,
    rules_format,
    rules_lint,
    rules_new,
    rules_schema,
    rules_stats,
    rules_suggest,
    rules_test,
    search,
    suggest_labels,
    train,
)
from rulenet.cli.console import ON_ENCODING_ERRORS, say, warn
from rulenet.cli.ending import ended, flush_errors


class _Commands(TyperGroup):
    """Runs one command; however that ends, the user sees no traceback."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **_: Any) -> Any:  # type: ignore[override]
        """Run a command and end the process with its exit status; see ending.py."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors=ON_ENCODING_ERRORS)
        status = 0
        try:
            with self.make_context("rulenet", list(sys.argv[1:] if args is None else args)) as context:
                self.invoke(context)
            sys.stdout.flush()
        except BaseException as error:
            status = ended(error)
        flush_errors()
        sys.exit(status)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"rulenet {__version__}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Text classification with rules you can read and a transformer for the rest."""


rules = typer.Typer(help="Write and check rule files.", no_args_is_help=True, rich_markup_mode="markdown")
app.command("demo")(demo.demo)
app.command("train")(train.train)
app.command("search")(search.search)
app.command("predict")(predict.predict)
app.command("suggest-labels")(suggest_labels.suggest_labels)
app.command("evaluate")(evaluate.evaluate)
app.command("explain")(explain.explain)
app.command("export")(export.export)
app.command("calibrate")(calibrate.calibrate)
app.command("recipes")(recipes.recipes)
app.command("distill")(distill.distill)
app.command("info")(info.info)
app.command("history")(history.history)
app.add_typer(rules, name="rules")
rules.command("new")(rules_new.new)
rules.command("lint")(rules_lint.lint)
rules.command("format")(rules_format.format_files)
rules.command("test")(rules_test.check)
rules.command("stats")(rules_stats.stats)
rules.command("suggest")(rules_suggest.suggest)
rules.command("apply")(rules_apply.apply)
rules.command("diff")(rules_diff.diff)
rules.command("schema")(rules_schema.schema)


class _Notes(logging.Handler):
    """Prints what libraries log, as a warning."""

    def emit(self, record: logging.LogRecord) -> None:
        warn(record.getMessage())


def main() -> None:
    """Run the command line, and end the process with its exit status."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started the process
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    warnings.showwarning = warn
    logging.lastResort = _Notes(logging.WARNING)
    app()

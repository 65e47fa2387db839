"""The `rulenet` command: collects the commands, one file each, and turns mistakes of users into messages.

To add a command: a file with a function, its import and one line below, a row in the docs, and a test in tests/cli. Heavy imports
go inside the function, so that `rulenet rules lint` starts fast.
"""

from __future__ import annotations

import io
import sys
import warnings
from typing import Any

import typer
from typer.core import TyperGroup

from rulenet.cli import (
    demo,
    evaluate,
    explain,
    export,
    predict,
    rules_apply,
    rules_diff,
    rules_format,
    rules_lint,
    rules_schema,
    rules_stats,
    rules_suggest,
    rules_test,
    train,
)
from rulenet.cli.console import ON_ENCODING_ERRORS, complain, warn
from rulenet.errors import RuleNetError


class _Commands(TyperGroup):
    """Exit status: 0 success, 1 problems found, 2 wrong usage or input, 130 interrupted."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a mistake that the user can correct ends in a message, not in a traceback."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors=ON_ENCODING_ERRORS)
        try:
            return super().invoke(ctx)
        except RuleNetError as error:
            complain(str(error))
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            complain("interrupted")
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=_Commands,
    help="Text classification with rules you can read and a transformer for the rest.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
rules = typer.Typer(help="Write and check rule files.", no_args_is_help=True, rich_markup_mode="markdown")
app.command("demo")(demo.demo)
app.command("train")(train.train)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("explain")(explain.explain)
app.command("export")(export.export)
app.add_typer(rules, name="rules")
rules.command("lint")(rules_lint.lint)
rules.command("format")(rules_format.format_files)
rules.command("test")(rules_test.check)
rules.command("stats")(rules_stats.stats)
rules.command("suggest")(rules_suggest.suggest)
rules.command("apply")(rules_apply.apply)
rules.command("diff")(rules_diff.diff)
rules.command("schema")(rules_schema.schema)


def main() -> None:
    """Run the command line, and end the process with its exit status."""
    warnings.showwarning = warn
    app()

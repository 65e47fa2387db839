"""The `rulenet` command: collects the commands, one file each, and turns user mistakes into messages.

To add a command: a file with a function, a line here, a test in tests/cli. Heavy imports go inside the function, so that
`rulenet rules lint` starts fast.
"""

from __future__ import annotations

import sys

import typer

from rulenet.cli import demo, evaluate, explain, predict, rules_lint, rules_schema, rules_test, train
from rulenet.cli.console import complain
from rulenet.errors import RuleNetError

app = typer.Typer(
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
app.add_typer(rules, name="rules")
rules.command("lint")(rules_lint.lint)
rules.command("test")(rules_test.test)
rules.command("schema")(rules_schema.schema)


def main() -> None:
    """Run the command line. Exit status: 0 fine, 1 problems found, 2 bad usage or input."""
    try:
        app()
    except RuleNetError as error:
        complain(str(error))
        sys.exit(2)

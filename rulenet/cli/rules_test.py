"""`rulenet rules test`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from rulenet.cli.console import AsJson, out, print_json


def check(  # not `test`: pytest would run it
    file: Annotated[Path, typer.Argument(help="A rule file.", metavar="FILE")],
    as_json: AsJson = False,
) -> None:
    """Run the examples that stand beside the rules.

    Exit status 1 if a rule does not do what its examples say.

    Example: `rulenet rules test rules/ag_news.yaml`
    """
    from rulenet.rules.examples import run_examples
    from rulenet.rules.ruleset import RuleSet

    ruleset = RuleSet.load(file)
    results = run_examples(ruleset)
    failed = [result for result in results if not result.passed]
    without = sum(not rule.examples.match and not rule.examples.reject for rule in ruleset.rules)
    if as_json:
        rows = [
            {"rule": r.rule, "line": r.line, "expected": r.expected, "text": r.text, "spans": r.spans} for r in failed
        ]
        print_json({"examples": len(results), "failed": rows, "rules": len(ruleset), "rules_without_examples": without})
    else:
        for result in failed:
            out.print(Text.assemble((f"{file}:{result.line}: ", "bold"), f"rule '{result.rule}'"), soft_wrap=True)
            shown = Text(f"    {result.text}")
            for start, end in result.spans or []:
                shown.stylize("reverse", start + 4, end + 4)
            out.print(shown, soft_wrap=True)
            happened = (
                "fires on the marked words"
                if result.spans
                else "fires"
                if result.spans is not None
                else "does not fire"
            )
            out.print(Text.assemble("    expected ", (result.expected, "green"), ", but it ", (happened, "red")))
        mark = ("✗", "red") if failed else ("✓", "green")
        passed = len(results) - len(failed)
        out.print(
            Text.assemble(
                mark, f" {len(ruleset)} rules, {passed} of {len(results)} examples pass; {without} rules have none"
            )
        )
    raise typer.Exit(1 if failed else 0)

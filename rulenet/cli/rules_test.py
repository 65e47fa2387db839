"""`rulenet rules test`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text
from typer import Argument, Option

from rulenet.base.console import printable
from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, complain, out, print_json, say, say_result
from rulenet.errors import InputError, RuleFileError, RuleNetError

if TYPE_CHECKING:
    from rulenet.rules.ruleset import RuleSet
    from rulenet.rules.testing.cases import CaseResult
    from rulenet.rules.testing.examples import ExampleResult
    from rulenet.rules.testing.trace import Step

MAX_SHOWN = 20  # failures shown with a trace


def check(  # not `test`: pytest would run it
    file: Annotated[Path, Argument(help="Rule file.", metavar="FILE")],
    rule: Annotated[str | None, Option("--rule", help="Test only the examples of the rule with this id.")] = None,
    watch: Annotated[bool, Option("--watch", help="Run again whenever a file is saved.")] = False,
    as_json: AsJson = False,
) -> None:
    """Test the examples of the rules, and the cases of the file.

    An example is a text on which a rule must fire, or must not fire; a case is a text with the label that all rules together must
    give, by their starting weights. Each failure is shown with the hits, the expected and the actual result, and the reason.
    Exit status 1 if something fails.

    Example: `rulenet rules test rules/ag_news.yaml --watch`
    """
    if watch and as_json:
        raise typer.BadParameter("--watch and --json cannot be combined; leave out one of them")
    if watch:
        from rulenet.cli.watch import rerun_on_save

        rerun_on_save(file, lambda: _watched_run(file, rule))
        return
    _, failed = run(file, rule, as_json=as_json)
    raise typer.Exit(1 if failed else 0)


def _watched_run(file: Path, rule: str | None) -> list[Path]:
    """Run one round of `--watch`, and show faults instead of stopping; return the files to watch, or nothing if they are not known."""
    try:
        ruleset, _ = run(file, rule, as_json=False)
    except RuleFileError as error:
        for fault in error.faults:
            say((f"{fault.place(str(file))}: ", "bold"), fault.text)
        say_result(False, f"{file} cannot be loaded: {counted(len(error.faults), 'fault')}")
        return []
    except RuleNetError as error:
        complain(error)
        return []
    return ruleset.files


def run(file: Path, only: str | None, *, as_json: bool) -> tuple[RuleSet, int]:
    """Run everything once and show it; return the ruleset and the number of failures."""
    from rulenet.rules.file.wording import suggest
    from rulenet.rules.ruleset import RuleSet
    from rulenet.rules.testing.cases import run_cases
    from rulenet.rules.testing.examples import run_examples

    ruleset = RuleSet.load(file)
    written = [rule for rule in ruleset.file.rules if only in (None, rule.id)]
    if not written:
        known = [rule.id for rule in ruleset.file.rules]
        raise InputError(f"{file} has no rule {only!r}{suggest(str(only), known)}")
    results = run_examples(ruleset, only=only)
    cases = run_cases(ruleset) if only is None else []
    failed = [result for result in results if not result.passed]
    failed_cases = [case for case in cases if not case.passed]
    without = sum(not rule.examples.match and not rule.examples.reject for rule in written)
    if as_json:
        examples = {"examples": len(results), "failed": _example_rows(ruleset, failed)}
        rows = {"cases": len(cases), "failed_cases": [_case_row(case) for case in failed_cases]}
        print_json({**examples, **rows, "rules": len(written), "rules_without_examples": without})
    else:
        _show_examples(ruleset, failed)
        _show_cases(ruleset, failed_cases)
        total = [counted(len(written), "rule"), _passed(len(failed), len(results), "example")]
        if cases:
            total.append(_passed(len(failed_cases), len(cases), "case"))
        rest = counted(without, "rule has", "rules have")
        say_result(not failed and not failed_cases, f"{', '.join(total)}; {rest} no examples")
    return ruleset, len(failed) + len(failed_cases)


def _passed(failed: int, n: int, what: str) -> str:
    return f"{n - failed:,} of {counted(n, what)} passed" if n else f"no {what}s"


def _example_rows(ruleset: RuleSet, failed: list[ExampleResult]) -> list[dict[str, Any]]:
    from rulenet.rules.testing.examples import Reader
    from rulenet.rules.testing.trace import trace_example

    reader, names = Reader(ruleset), ("file", "line", "rule", "expected", "text", "spans")
    return [
        {name: getattr(result, name) for name in names} | {"trace": _step_row(trace_example(ruleset, result, reader))}
        for result in failed
    ]


def _step_row(step: Step) -> dict[str, Any]:
    row: dict[str, Any] = {"condition": step.label, "passed": step.passed, "found": list(step.found), "note": step.note}
    return row | {"parts": [_step_row(part) for part in step.parts]}


def _case_row(case: CaseResult) -> dict[str, Any]:
    votes = [{"rule": vote.rule, "evidence": vote.evidence, "spans": vote.spans} for vote in case.votes]
    row = {"line": case.line, "text": case.text, "expected": case.expected, "got": case.got}
    return row | {"totals": case.totals, "votes": votes}


def _show_examples(ruleset: RuleSet, failed: list[ExampleResult]) -> None:
    """Show each failure: the text, the expected and the actual result, and the part of the rule that is responsible."""
    from rulenet.rules.testing.examples import Reader
    from rulenet.rules.testing.trace import trace_example

    reader = Reader(ruleset)
    for i, result in enumerate(failed):
        say((f"{result.file}:{result.line}: ", "bold"), f"rule '{result.rule}'")
        _show_text(result.text, result.spans or [])
        wanted, came = ("fires", "does not fire") if result.expected == "match" else ("does not fire", "fires")
        say("    expected  ", (wanted, "green"), f" ({result.expected} example)")
        say("    got       ", (came, "red"))
        if i < MAX_SHOWN:
            _show_step(trace_example(ruleset, result, reader), "    ", brief=result.expected == "match")
        out.print()


def _show_step(step: Step, indent: str, *, brief: bool) -> None:
    """Show a part of a rule and its own parts; if `brief`, an `unless` that did not stop the rule takes one line."""
    from rulenet.rules.testing.trace import UNLESS

    mark = ("✓ ", "green") if step.passed else ("✗ ", "red")
    found = "".join(f'  "{text}"' for text in step.found)
    note = f"  – {step.note}" if step.note else ""
    say(indent, mark, step.label, (found, "bold"), (note, "dim"))
    if not (brief and step.passed and step.label == UNLESS):
        for part in step.parts:
            _show_step(part, indent + "  ", brief=brief)


def _show_cases(ruleset: RuleSet, failed: list[CaseResult]) -> None:
    """Show each failure: the text, the labels, and the rules that voted."""
    for i, case in enumerate(failed):
        place = f"{ruleset.name}:{case.line}: " if case.line else f"{ruleset.name}: "
        say((place, "bold"), "case" if case.line else "case of an included file")
        _show_text(case.text, [span for vote in case.votes for span in vote.spans])
        say("    expected  ", (case.expected, "green"))
        sums = ", ".join(f"{label} {total:g}" for label, total in case.totals.items() if total)
        came = ", ".join(case.got) or "no label: no rule fires"
        came = f"a tie between {came}" if len(case.got) > 1 else came
        say("    got       ", (came, "red"), f"  ({sums})" if sums else "")
        for vote in case.votes if i < MAX_SHOWN else []:
            weights = ", ".join(f"{label} {weight:+g}" for label, weight in vote.evidence.items())
            hits = list(dict.fromkeys(case.text[start:end] for start, end in vote.spans))
            shown = "".join(f'  "{hit}"' for hit in hits)
            say(f"      {weights}  {vote.rule}", (shown, "bold"))
        out.print()


def _show_text(text: str, spans: list[tuple[int, int]]) -> None:
    at = 0
    for line in text.split("\n"):
        shown = printable(line)
        for start, end in spans:
            shown.stylize("reverse", max(start - at, 0), max(end - at, 0))
        out.print(Text("    ").append_text(shown), soft_wrap=True)
        at += len(line) + 1

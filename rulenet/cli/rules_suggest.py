"""`rulenet rules suggest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from rulenet.cli.console import AsJson, LabelColumn, Split, TextColumn, check_file, out, print_json
from rulenet.errors import ParameterError

if TYPE_CHECKING:
    from rulenet.workbench.suggest.advice import Advice
    from rulenet.workbench.suggest.suggestion import Suggestion, Suggestions

KINDS = {
    "words": "words of one topic",
    "growth": "words like those of",
    "pattern": "part-of-speech pattern",
    "pair": "two words together",
    "exception": "a word with an exception",
}


def suggest(
    file: Annotated[Path, typer.Argument(help="The present rules.", metavar="FILE")],
    data: Annotated[str, typer.Option("--data", "-d", help="Labelled texts that --model was not trained on.")],
    model: Annotated[
        Path | None, typer.Option(help="Model folder: mend its mistakes instead of those of the rules alone.")
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", help="At most so many new rules.", min=1)] = 20,
    held_out: Annotated[float, typer.Option(help="Share of the texts that only judge.", min=0.05, max=0.9)] = 0.3,
    write: Annotated[
        Path | None,
        typer.Option(help="Append the confirmed rules to this rule file, or make it. Else nothing is written."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="With --write: this rule (repeat for more), confirmed or not.")
    ] = None,
    sample: Annotated[int | None, typer.Option(help="Use only so many texts, taken at random.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Seed of the split and the sample.", min=0, max=2**32 - 1)] = 0,
    split: Split = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    as_json: AsJson = False,
) -> None:
    """Propose rules that labelled texts speak for, and what to drop, tighten or merge.

    Rules are mined on some of the texts, chosen on others and judged on the rest, which neither step has seen.

    Example: `rulenet rules suggest rules/ag_news.yaml --data train.csv --write more.yaml`
    """
    from rulenet.base.progress import Progress
    from rulenet.data.load import load
    from rulenet.rules.ruleset import RuleSet
    from rulenet.workbench.suggest.suggest import suggest as find

    if only and write is None:
        raise ParameterError("--only says which rules to write; add --write FILE")
    ruleset = RuleSet.load(file)
    if write is not None:
        check_file(write)
        if write.exists():
            RuleSet.load(write)  # a file with faults is to be mended first, before long work
    dataset = load(data, text=text, label=label, split=split)
    texts, labels = _sampled(dataset.texts, dataset.labels or [], sample, seed)
    progress = Progress(0 if as_json else 1)
    found = find(ruleset, texts, labels, model, n=count, held_out=held_out, random_state=seed, say=progress.say)
    chosen = [] if write is None else _chosen(found, only)
    if write is not None and chosen:
        from rulenet.workbench.suggest.keep import append_rules

        append_rules(write, [suggestion.rule for suggestion in chosen], like=ruleset)
    if as_json:
        print_json({**found.to_dict(), "written": [suggestion.rule["id"] for suggestion in chosen]})
        return
    _show(found)
    if write is not None:
        done = f"{len(chosen)} rules → {write}" if chosen else f"no rule is confirmed; {write} was left alone"
        out.print(done, markup=False, soft_wrap=True)


def _sampled(texts: list[str], labels: list[str], n: int | None, seed: int) -> tuple[list[str], list[str]]:
    """Rows at random: a file is often ordered by class, so never its beginning."""
    import random

    if n is None or n >= len(texts):
        return texts, labels
    rows = sorted(random.Random(seed).sample(range(len(texts)), n))
    return [texts[i] for i in rows], [labels[i] for i in rows]


def _chosen(found: Suggestions, only: list[str] | None) -> list[Suggestion]:
    if not only:
        return [suggestion for suggestion in found.new if suggestion.is_confirmed]
    ids = [suggestion.rule["id"] for suggestion in found.new]
    unknown = [name for name in only if name not in ids]
    if unknown:
        raise ParameterError(f"--only {', '.join(unknown)}: not suggested; there are {', '.join(ids) or 'none'}")
    return [suggestion for suggestion in found.new if suggestion.rule["id"] in only]


def _show(found: Suggestions) -> None:
    for number, suggestion in enumerate(found.new, start=1):
        out.print(_head(number, suggestion), soft_wrap=True)
        for line in _figures(suggestion, found.n_held_out):
            out.print(Text(f"   {line}", style="dim"), soft_wrap=True)
        out.print(Text(suggestion.yaml), soft_wrap=True)
        out.print()
    for advice in found.advice:
        out.print(_advice(advice), soft_wrap=True)
    for note in found.notes:
        out.print(Text.assemble(("note: ", "yellow"), note), soft_wrap=True)
    confirmed = sum(suggestion.is_confirmed for suggestion in found.new)
    out.print(
        f"{len(found.new)} new rules, {confirmed} of them confirmed, from {found.n_tried:,} candidates "
        f"({found.n_believed:,} held up on the {found.n_chosen:,} texts that choose; 1 in 10 of those by chance)",
        soft_wrap=True,
    )
    if found.new:
        gain = found.accuracy_after - found.accuracy_before
        out.print(
            f"accuracy on {found.n_held_out:,} texts that neither found nor chose them: {found.accuracy_before:.1%} → "
            f"{found.accuracy_after:.1%} ({100 * gain:+.1f} ± {196 * found.accuracy_error:.1f} points with all of them)",
            soft_wrap=True,
        )


def _head(number: int, suggestion: Suggestion) -> Text:
    mark = ("✓", "green") if suggestion.is_confirmed else ("?", "yellow")
    kind = KINDS[suggestion.kind] + (f" '{suggestion.like}'" if suggestion.like else "")
    return Text.assemble(mark, f" {number}  ", (suggestion.rule["id"], "bold"), f"  {suggestion.rule['label']}: {kind}")


def _figures(s: Suggestion, n_held_out: int) -> list[str]:
    near = (
        f"nearest '{s.nearest}', {s.overlap:.0%} the same texts" if s.nearest else "no rule fires on any of its texts"
    )
    sure = "confirmed" if s.is_confirmed else "not confirmed: may be chance"
    return [
        f"fires on {s.support:,} texts; held out: {s.right} of {s.fires} right, {s.expected:.1f} were expected "
        f"(p {s.p_value:.2g}, {sure})",
        f"by itself it mends {s.fixed} and breaks {s.broken} of {n_held_out:,} answers, log-loss −{s.log_loss:.1f} ± {s.log_loss_error:.1f}"
        .replace("−-", "+"),
        near,
    ]  # fmt: skip


def _advice(advice: Advice) -> Text:
    after = (
        "" if advice.precision_after is None else f"; precision {advice.precision:.0%} → {advice.precision_after:.0%}"
    )
    other: Any = f" with '{advice.other}'" if advice.other else ""
    paste = f"\n{advice.yaml}" if advice.yaml else ""
    return Text.assemble((f"{advice.kind} ", "bold"), f"'{advice.rule}'{other}: {advice.reason}{after}{paste}")

"""`rulenet rules suggest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, Seed, check_file, print_json, say, say_lines
from rulenet.cli.reading import FIND_OUT, Reading, read_data, reads_data
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


@reads_data
def suggest(
    file: Annotated[Path, Argument(help="Rule file with the present rules.", metavar="FILE")],
    data: Annotated[str, Option("--data", "-d", help="Labelled texts that --model was not trained on.")],
    model: Annotated[Path | None, Option(help="Correct the mistakes of this model, not of the rules.")] = None,
    count: Annotated[int, Option("--count", "-n", help="Greatest number of new rules.", min=1)] = 20,
    held_out: Annotated[float, Option(help="Share of the texts used only for evaluation.", min=0.05, max=0.9)] = 0.3,
    write: Annotated[Path | None, Option(help="Append the confirmed rules to this file.")] = None,
    only: Annotated[list[str] | None, Option(help="Write only this rule, confirmed or not; may be repeated.")] = None,
    sample: Annotated[int | None, Option(help="Use only this many texts, selected at random.", min=1)] = None,
    seed: Seed = 0,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Propose new rules from labelled texts, and present rules to drop, tighten or merge.

    Rules are mined on some of the texts, selected on others, and evaluated on the rest, which neither step has seen.

    Example: `rulenet rules suggest rules/ag_news.yaml --data train.csv --write more.yaml`
    """
    from rulenet.base.progress import Progress
    from rulenet.rules.ruleset import RuleSet
    from rulenet.workbench.suggest.suggest import suggest as find

    if only and write is None:
        raise ParameterError("--only selects rules to write: add --write FILE")
    ruleset = RuleSet.load(file, may_be_empty=True)
    check_file(write, [data], models=[model])
    if write is not None and write.exists():
        RuleSet.load(write, may_be_empty=True)  # a file with faults must be corrected first, before long work
    dataset = read_data(data, how, limit=sample, seed=seed)
    if dataset.several:
        raise ParameterError(f"suggesting rules needs one label per text, but {data} has several for each")
    texts, labels = dataset.texts, dataset.labels or []
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
        say(f"{counted(len(chosen), 'rule')} → {write}" if chosen else "no rule is confirmed, so nothing was written")


def _chosen(found: Suggestions, only: list[str] | None) -> list[Suggestion]:
    if not only:
        return [suggestion for suggestion in found.new if suggestion.is_confirmed]
    known = {suggestion.rule["id"]: suggestion for suggestion in found.new}
    if unknown := [name for name in only if name not in known]:
        hint = f"the suggested rules are {', '.join(known)}" if known else "no rules were suggested"
        raise ParameterError(f"--only {', '.join(unknown)}: {hint}")
    return [suggestion for name, suggestion in known.items() if name in only]


def _show(found: Suggestions) -> None:
    for number, suggestion in enumerate(found.new, start=1):
        _show_suggestion(number, suggestion, found.n_held_out)
    for advice in found.advice:
        _show_advice(advice)
    for note in found.notes:
        say(("note: ", "yellow"), note)
    confirmed = sum(suggestion.is_confirmed for suggestion in found.new)
    say(
        f"{counted(len(found.new), 'new rule')}, {confirmed} confirmed, from {counted(found.n_tried, 'candidate')} "
        f"({found.n_believed:,} passed the test on {counted(found.n_chosen, 'selection text')}, about 1 in 10 of them by chance)"
    )
    if found.new:
        gain = f"{100 * (found.accuracy_after - found.accuracy_before):+.1f} ± {196 * found.accuracy_error:.1f}"
        say(
            f"accuracy on {counted(found.n_held_out, 'held-out text')}: {found.accuracy_before:.1%} → {found.accuracy_after:.1%} "
            f"({gain} points with all new rules)"
        )


def _show_suggestion(number: int, s: Suggestion, n_held_out: int) -> None:
    mark = ("✓", "green") if s.is_confirmed else ("?", "yellow")
    kind = KINDS[s.kind] + (f" '{s.like}'" if s.like else "")
    say(mark, f" {number}  ", (s.rule["id"], "bold"), f"  {s.rule['label']}: {kind}")
    sure = "confirmed" if s.is_confirmed else "not confirmed, may be chance"
    loss = f"log-loss {f'{-s.log_loss:+.1f}'.replace('-', '−')} ± {s.log_loss_error:.1f}"
    for line in (
        f"fires on {counted(s.support, 'text')}; held out: {s.right} of {s.fires} right, {s.expected:.1f} expected "
        f"(p = {s.p_value:.2g}, {sure})",
        f"alone it fixes {s.fixed} and breaks {s.broken} of {counted(n_held_out, 'prediction')}, {loss}",
        f"nearest rule '{s.nearest}', overlap {s.overlap:.0%}" if s.nearest else "no other rule fires on its texts",
    ):
        say((f"   {line}", "dim"))
    say_lines([*s.yaml.split("\n"), ""])


def _show_advice(advice: Advice) -> None:
    other = f" with '{advice.other}'" if advice.other else ""
    known = advice.precision_after is not None
    after = f"; precision {advice.precision:.0%} → {advice.precision_after:.0%}" if known else ""
    say((f"{advice.kind} ", "bold"), f"'{advice.rule}'{other}: {advice.reason}{after}")
    say_lines(advice.yaml.split("\n") if advice.yaml else ())

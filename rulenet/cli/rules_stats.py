"""`rulenet rules stats`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from rulenet.cli.console import AsJson, Jobs, LabelColumn, Split, TextColumn, check_file, out, print_json, write_page

if TYPE_CHECKING:
    from rulenet.workbench.drift import Drift
    from rulenet.workbench.stats import RulesetStats, RuleStats
    from rulenet.workbench.worth import Worth

WIDE = 200
# Left out, in this order, where a window is too narrow for all columns.
DISPENSABLE = ("shared", "lift", "finds", "disputed", "for")
LEGIBLE = 24  # characters of a rule's id that stay on one line


class Sort(str, Enum):
    """Orders of the table."""

    fires = "fires"
    right = "right"
    lift = "lift"
    shared = "shared"
    disputed = "disputed"
    worth = "worth"
    file = "file"


def stats(
    file: Annotated[
        Path | None, typer.Argument(help="A rule file; default: the rules of --model.", metavar="[FILE]")
    ] = None,
    data: Annotated[
        str, typer.Option("--data", "-d", help="Texts, best with labels, that the rules were not written on.")
    ] = ...,  # type: ignore[assignment]
    model: Annotated[
        Path | None, typer.Option(help="Model folder: learned weights, and what is lost without each rule.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(help="Compare with a model's training texts (its folder) or an earlier --json output."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a self-contained HTML page here.")] = None,
    sort: Annotated[
        Sort, typer.Option(help="Order of the table; right and lift: the worst first, else the most.")
    ] = Sort.fires,
    top: Annotated[int, typer.Option(help="Rows of the table; 0: all.", min=0)] = 30,
    jobs: Jobs = None,
    split: Split = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    as_json: AsJson = False,
) -> None:
    """What each rule is worth on some texts, which rules contradict each other, and which have drifted.

    Take texts that the rules were not written on, nor the model trained on: those flatter both.

    Exit status 1 if --baseline shows that a rule died, faded, exploded or lost precision.

    Example: `rulenet rules stats rules.yaml --data new.csv --html stats.html`, or
    `rulenet rules stats --model model/ --data new.csv --baseline model/`
    """
    from rulenet.base.progress import Progress
    from rulenet.data.load import load
    from rulenet.errors import DataError, ParameterError
    from rulenet.workbench.drift import compare, read_baseline
    from rulenet.workbench.stats import rule_stats

    if file is None and model is None:
        raise ParameterError("name a rule file, or a model whose rules are meant: --model FOLDER")
    if html is not None:
        check_file(html)
    earlier = None if baseline is None else read_baseline(baseline)
    progress = Progress(0 if as_json else 1)
    dataset = load(data, text=text, label=label, split=split, need_labels=False)
    if label is not None and dataset.labels is None:
        raise DataError(f"{data}: some rows have no label in the column {label!r}; fill or delete them")
    found = rule_stats(file, dataset.texts, dataset.labels, model=model, n_jobs=jobs, progress=progress)
    drift = None if earlier is None else compare(found, earlier)
    if html is not None:
        from rulenet.workbench.page import to_html

        write_page(html, to_html(found, drift))
    if as_json:
        print_json({**found.to_dict(), **({} if drift is None else {"drift": drift.to_dict()})})
    else:
        show(found, sort, top)
        if drift is not None:
            show_drift(drift)
    raise typer.Exit(1 if drift is not None and drift.flagged else 0)


def show(stats: RulesetStats, sort: Sort, top: int) -> None:
    """Table, conflicts and findings."""
    from rulenet.base.wording import counted, percent
    from rulenet.workbench.findings import findings

    rules = ordered(stats.rules, sort)
    shown = rules[:top] if top else rules
    table, left_out = _fitting(shown, any(rule.worth is not None for rule in stats.rules))
    draw(table)
    if left_out:
        say(f"columns that do not fit: {', '.join(left_out)}; widen the window, or see --html FILE")
    if len(shown) < len(rules):
        say(f"not shown: {counted(len(rules) - len(shown))} more; --top 0 shows all, --sort another order")
    n = stats.n_texts
    say(f"{counted(len(rules))}, {counted(n, 'text')}; some rule fires on {percent(stats.reached / n)}, rules that cannot both be right on "
        f"{percent(stats.disputed / n)}")  # fmt: skip
    for note in stats.notes:
        say(f"note: {note}")
    for pair in stats.conflicts(3):
        wins = " : ".join(f"{k:,}" for k in pair.get("right", ()))
        say(
            f"conflict: {pair['rules'][0]} against {pair['rules'][1]} on {counted(pair['texts'], 'text')}"
            + (f", right {wins}" if wins else "")
        )
    for finding in findings(stats):
        say(f"{finding.kind} ({len(finding.rules):,}): {finding.sentence}: {finding.named()}")


def draw(table: Table) -> None:
    """A table; in a file or a pipe as wide as it has to be."""
    (out if out.is_terminal else Console(highlight=False, width=WIDE)).print(table)


def say(line: str) -> None:
    """One line that is never read as markup nor broken."""
    out.print(Text(line), soft_wrap=True)


def ordered(rules: Sequence[RuleStats], sort: Sort) -> list[RuleStats]:
    """The rules in this order; those without the number last."""
    if sort is Sort.file:
        return list(rules)
    number: dict[Sort, Callable[[RuleStats], float | None]] = {
        Sort.fires: lambda rule: -rule.fired,
        Sort.right: lambda rule: rule.precision,
        Sort.lift: lambda rule: rule.lift,
        Sort.shared: lambda rule: None if rule.overlap is None else -rule.overlap,
        Sort.disputed: lambda rule: None if rule.conflict is None else -rule.conflict,
        Sort.worth: lambda rule: None if rule.worth is None else -_worth(rule.worth),
    }

    def key(rule: RuleStats) -> tuple[bool, float]:
        value = number[sort](rule)
        return value is None, value or 0.0

    return sorted(rules, key=key)


def _worth(worth: Worth) -> float:
    return worth.decides if worth.log_loss is None else worth.log_loss


def _fitting(rules: Sequence[RuleStats], has_model: bool) -> tuple[Table, list[str]]:
    """The table, and the columns left out so that in this window every rule keeps its name."""
    table, left_out = _table(rules, has_model), list[str]()
    unbounded = out.options.update(width=WIDE)
    for column in table.columns:
        needed = max(cell_len(str(cell)) for cell in (column.header, *column.cells))
        column.min_width = needed if column.no_wrap else min(needed, LEGIBLE)
    for name in DISPENSABLE if out.is_terminal else ():
        if Measurement.get(out, unbounded, table).minimum <= out.width:
            break
        table.columns = [column for column in table.columns if column.header != name]
        left_out.append(name)
    return table, left_out


def _table(rules: Sequence[RuleStats], has_model: bool) -> Table:
    from rulenet.base.wording import percent

    table = Table(box=None, padding=(0, 1), show_edge=False)
    for name in ("rule", "for"):
        table.add_column(name, overflow="fold")
    for name in (
        "fires",
        "right [95 %]",
        "finds",
        "lift",
        "shared",
        "disputed",
        *(("weight", "saves", "spoils") if has_model else ()),
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for rule in rules:
        right = percent(rule.precision)
        if rule.interval is not None:
            right += f" [{100 * rule.interval[0]:.0f}–{100 * rule.interval[1]:.0f}]"
        cells: list[Any] = [
            Text(rule.id if rule.is_active else f"{rule.id} (off)"),
            Text(rule.speaks_for),
            f"{rule.fired:,}",
            right,
            percent(rule.recall),
        ]
        cells += ["–" if rule.lift is None else f"{rule.lift:.1f}", percent(rule.overlap), percent(rule.conflict)]
        if rule.worth is not None:
            cells.append(", ".join(f"{weight:+.2f}" for weight in rule.worth.weights.values()))
            cells += ["–" if k is None else f"{k:,}" for k in (rule.worth.saves, rule.worth.spoils)]
        table.add_row(*cells)
    return table


def show_drift(drift: Drift) -> None:
    """The rules that have changed, and what could not be told."""
    from rulenet.base.wording import percent

    flagged = drift.flagged
    mark = ("✗", "red") if flagged else ("✓", "green")
    said = (
        f"{len(flagged):,} of {len(drift.rules):,} rules have drifted"
        if flagged
        else f"none of {len(drift.rules):,} rules has drifted"
    )
    against = f" ({drift.texts_now:,} texts against {drift.texts_before:,}; {drift.tests:,} tests, Holm, 5 %)"
    out.print(Text.assemble(mark, " ", said, against), soft_wrap=True)
    table = Table(box=None, padding=(0, 1), show_edge=False)
    for name in ("rule", "has", "fires on", "right"):
        table.add_column(name, overflow="fold", justify="left" if name in ("rule", "has") else "right")
    for rule in flagged:
        right = f"{percent(rule.precision_before)} → {percent(rule.precision_now)}"
        table.add_row(Text(rule.id), Text(", ".join(rule.flags), "red"), f"{rule.before:.2%} → {rule.now:.2%}", right)
    if flagged:
        draw(table)
    for line in drift.remarks():
        say(f"note: {line}")

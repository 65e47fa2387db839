"""`rulenet rules stats`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len
from rich.measure import Measurement
from rich.table import Table
from typer import Argument, Option

from rulenet.base.console import SafeConsole, printable
from rulenet.base.wording import counted, percent
from rulenet.cli.console import (
    AsJson,
    Html,
    Jobs,
    SafeTable,
    check_file,
    out,
    print_json,
    say,
    say_result,
    write_page,
)
from rulenet.cli.reading import FIND_OUT, Reading, read_alone, read_for, reads_data

if TYPE_CHECKING:
    from rulenet.workbench.drift import Drift
    from rulenet.workbench.stats import RulesetStats, RuleStats
    from rulenet.workbench.worth import Worth

WIDE = 200
# Columns that are left out, in this order, if the window is too narrow.
DISPENSABLE = ("shared", "lift", "finds", "disputed", "for")
LEGIBLE = 24  # longer ids of rules may be broken into several lines


class Sort(str, Enum):
    """Sort orders of the table."""

    fires = "fires"
    right = "right"
    lift = "lift"
    shared = "shared"
    disputed = "disputed"
    worth = "worth"
    file = "file"


@reads_data
def stats(
    data: Annotated[str, Option("--data", "-d", help="Texts, best with labels, that the rules were not written on.")],
    file: Annotated[Path | None, Argument(help="Rule file; default: the rules of --model.", metavar="[FILE]")] = None,
    model: Annotated[Path | None, Option(help="Model folder: show weights, and what is lost without a rule.")] = None,
    baseline: Annotated[Path | None, Option(help="Compare with a model's training, or earlier --json output.")] = None,
    html: Html = None,
    sort: Annotated[Sort, Option(help="Order of the table; right and lift: lowest first.")] = Sort.fires,
    top: Annotated[int, Option(help="Number of rows in the table; 0: all.", min=0)] = 30,
    jobs: Jobs = None,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Show how well each rule works on some texts, which rules contradict each other, and which have drifted.

    Use texts that the rules were not written on and the model was not trained on; otherwise the results are too good.

    Exit status 1 if --baseline shows that a rule died, faded, exploded or lost precision.

    Example: `rulenet rules stats rules.yaml --data new.csv --html stats.html`, or
    `rulenet rules stats --model model/ --data new.csv --baseline model/`
    """
    from rulenet.base.progress import Progress
    from rulenet.errors import DataError, ParameterError
    from rulenet.estimator import RuleNetClassifier
    from rulenet.workbench.drift import compare, read_baseline
    from rulenet.workbench.stats import rule_stats

    if file is None and model is None:
        raise ParameterError("nothing to measure: name a rule file, or a model with --model FOLDER")
    check_file(html, [data, file], models=[model, baseline])
    earlier = None if baseline is None else read_baseline(baseline)
    progress = Progress(0 if as_json else 1)
    clf = None if model is None else RuleNetClassifier.load(model)
    dataset = read_alone(data, how) if clf is None else read_for(clf.predictor_, data, how)
    if how.label is not None and dataset.labels is None:
        raise DataError(f"{data}: some rows have no label in the column {how.label!r}: complete or delete them")
    found = rule_stats(file, dataset.texts, dataset.labels, model=clf, n_jobs=jobs, progress=progress)
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
    """Print the table, conflicts and findings."""
    from rulenet.workbench.findings import findings

    rules = ordered(stats.rules, sort)
    shown = rules[:top] if top else rules
    table, left_out = _fitting(shown, any(rule.worth is not None for rule in stats.rules))
    draw(table)
    if left_out:
        say(f"columns left out: {', '.join(left_out)}; widen the window, or use --html FILE")
    if len(shown) < len(rules):
        say(f"{counted(len(rules) - len(shown), 'more rule')} not shown; see --top and --sort")
    n = stats.n_texts
    say(
        f"{counted(len(rules), 'rule')}, {counted(n, 'text')}; at least one rule fires on {percent(stats.reached / n)}, "
        f"rules that cannot both be right on {percent(stats.disputed / n)}"
    )
    for note in stats.notes:
        say(f"note: {note}")
    for pair in stats.conflicts(3):
        wins = " : ".join(f"{k:,}" for k in pair.get("right", ()))
        both = f"{pair['rules'][0]} against {pair['rules'][1]} on {counted(pair['texts'], 'text')}"
        say(f"conflict: {both}{f', right {wins}' if wins else ''}")
    for finding in findings(stats):
        say(f"{finding.kind} ({len(finding.rules):,}): {finding.sentence}: {finding.named()}")


def draw(table: Table) -> None:
    """Print a table; in a file or a pipe, as wide as necessary."""
    (out if out.is_terminal else SafeConsole(width=WIDE)).print(table)


def ordered(rules: Sequence[RuleStats], sort: Sort) -> list[RuleStats]:
    """Sort the rules; those without a value come last."""
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
    """Return the table, and the columns left out so that the names of the rules fit into this window."""
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
    table = SafeTable(box=None, padding=(0, 1), show_edge=False)
    for name in ("rule", "for"):
        table.add_column(name, overflow="fold")
    of_model = ("weight", "saves", "spoils") if has_model else ()
    for name in ("fires", "right [95 %]", "finds", "lift", "shared", "disputed", *of_model):
        table.add_column(name, justify="right", no_wrap=True)
    for rule in rules:
        right = percent(rule.precision)
        if rule.interval is not None:
            right += f" [{100 * rule.interval[0]:.0f}–{100 * rule.interval[1]:.0f}]"
        shown = rule.id if rule.is_active else f"{rule.id} (off)"
        cells: list[Any] = [shown, rule.speaks_for, f"{rule.fired:,}", right, percent(rule.recall)]
        cells += ["–" if rule.lift is None else f"{rule.lift:.1f}", percent(rule.overlap), percent(rule.conflict)]
        if rule.worth is not None:
            cells.append(", ".join(f"{weight:+.2f}" for weight in rule.worth.weights.values()))
            cells += ["–" if k is None else f"{k:,}" for k in (rule.worth.saves, rule.worth.spoils)]
        table.add_row(*cells)
    return table


def show_drift(drift: Drift) -> None:
    """Print the rules that have changed, and what could not be compared."""
    flagged, compared = drift.flagged, counted(len(drift.rules), "rule")
    against = f"{counted(drift.texts_now, 'text')} now, {drift.texts_before:,} before; {counted(drift.tests, 'test')}, Holm, 5 %"
    say_result(not flagged, f"drift found in {len(flagged):,} of {compared} ({against})")
    table = SafeTable(box=None, padding=(0, 1), show_edge=False)
    for name in ("rule", "has", "fires on", "right"):
        table.add_column(name, overflow="fold", justify="left" if name in ("rule", "has") else "right")
    for rule in flagged:
        right = f"{percent(rule.precision_before)} → {percent(rule.precision_now)}"
        table.add_row(rule.id, printable(", ".join(rule.flags), "red"), f"{rule.before:.2%} → {rule.now:.2%}", right)
    if flagged:
        draw(table)
    for line in drift.remarks():
        say(f"note: {line}")

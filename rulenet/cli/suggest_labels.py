"""`rulenet suggest-labels`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from rulenet.base.files import check_output, open_output
from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, Seed, err
from rulenet.cli.reading import FIND_OUT, Reading, reads_data
from rulenet.cli.tables import TableWriter, format_of
from rulenet.cli.texts import rows_of
from rulenet.errors import DataError

if TYPE_CHECKING:
    from rulenet.data.intake import Row
    from rulenet.predictor import Predictor
    from rulenet.rules.ruleset import RuleSet
    from rulenet.workbench.to_label import ToLabel

# The columns that are added: in a table those that a person reads.
SHORT = ("suggested_label", "why")
FULL = (*SHORT, "probability", "runner_up", "runner_up_probability", "rules")


@reads_data
def suggest_labels(
    model: Annotated[Path, Argument(help="Model folder, or a rule file: rules alone.", metavar="MODEL")],
    data: Annotated[str, Argument(help="File of texts; - reads lines from standard input.", metavar="DATA")],
    n: Annotated[int, Option("--n", "-n", help="Number of texts to label.")] = 50,
    labeled: Annotated[
        str | None, Option(help="File with the labels so far: its rows follow the new ones in the output.")
    ] = None,
    out: Annotated[
        Path | None, Option("--out", "-o", help="Write to this .csv, .tsv or .jsonl file; -: standard output.")
    ] = None,
    encoder: Annotated[
        str | None,
        Option(help="What tells which texts are alike, such as minilm; default: the model's own, else words."),
    ] = None,
    seed: Seed = 0,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Choose the texts whose labels would teach a model most, and write them with an empty column to fill in.

    They are in doubt, stand for many others, and differ from each other and from all that has a label. The columns of the data stay,
    and `suggested_label` and `why` are added. Then train with the file.

    Example: `rulenet suggest-labels model/ unlabeled.csv --n 50 --out to_label.csv`
    """
    from rulenet.base.progress import Progress
    from rulenet.workbench.to_label import suggest_labels as find

    form = format_of(out, as_json)
    check_output(out, [data, labeled], models=[model])
    source = _source(model)
    given, added = _read(data, labeled, how), FULL if form == "jsonl" else SHORT
    if taken := [name for name in _columns(row.cells for row in given.left) if name in added]:
        raise DataError(f"{data} already has a column {taken[0]!r}, which is to be added: rename it")
    texts, progress = [row.text for row in given.left], Progress(0 if as_json else 1)
    found = find(source, texts, n, labeled=given.seen, encoder=encoder, random_state=seed, progress=progress)
    rows = [{**given.left[it.index].cells, given.column: None, **_added(it, added)} for it in found]
    rows += [dict(row.cells) for row in given.labeled]
    with open_output(out or Path("-")) as handle:
        writer = TableWriter(handle, form)
        writer.start(_columns(rows))
        for number, row in enumerate(rows, start=1):
            writer.write(row, number)
    after = f", then {counted(len(given.labeled), 'row')} with labels" if given.labeled else ""
    where = f" → {out}" if out else ""
    _note(
        f"{counted(len(found), 'text')} to label{after}{where}; fill in the column {given.column!r} and train with them"
    )


@dataclass(frozen=True)
class _Given:
    """What was read."""

    left: list[Row]  # without a label
    labeled: list[Row]  # of the file with the labels so far
    seen: list[str]  # texts that are not suggested
    column: str  # of the labels


def _source(model: Path) -> Predictor | RuleSet:
    if model.suffix.lower() in (".yaml", ".yml") and not model.is_dir():
        from rulenet.rules.ruleset import RuleSet

        return RuleSet.load(model, may_be_empty=True)
    from rulenet.estimator import RuleNetClassifier

    return RuleNetClassifier.load(model).predictor_


def _read(data: str, labeled: str | None, how: Reading) -> _Given:
    """Read the data and the labels so far, and say what is left out."""
    from rulenet.data.columns import choose
    from rulenet.data.labels import as_label

    rows = list(rows_of(data, how))
    column = choose(data, _columns(row.cells for row in rows), how, need_labels=False).label
    before: list[Row] = []
    if labeled is not None:
        own = Reading(text=how.text, label=how.label)
        before = list(rows_of(labeled, own))
        theirs = choose(labeled, _columns(row.cells for row in before), own, need_labels=True).label
        if column not in (None, theirs):
            raise DataError(
                f"the labels are in the column {theirs!r} of {labeled}, but {column!r} of {data}: rename one"
            )
        column = theirs
    column = column or "label"

    def is_labelled(row: Row) -> bool:  # a list is several labels, an empty one none
        return isinstance(row.cells.get(column), list) or as_label(row.cells.get(column)) is not None

    filled, empty = _parted(before, is_labelled)
    done, left = _parted(rows, is_labelled)
    if not left:
        why = f"all {counted(len(rows), 'text')} have a label in the column {column!r}"
        raise DataError(f"{data}: {why}; if that is something else, rename the column")
    if done:
        _note(f"{counted(len(done), 'row has', 'rows have')} a label already in the column {column!r}: left out")
    if empty:
        shown = f"{counted(len(empty), 'row has', 'rows have')} no label in {labeled}"
        _note(f"{shown}: left out, and not suggested again")
    return _Given(left, filled, [row.text for row in (*before, *done)], column)


def _parted(rows: Iterable[Row], is_first: Callable[[Row], bool]) -> tuple[list[Row], list[Row]]:
    parts: tuple[list[Row], list[Row]] = [], []
    for row in rows:
        parts[not is_first(row)].append(row)
    return parts


def _columns(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(chain.from_iterable(rows)))


def _added(it: ToLabel, names: Sequence[str]) -> dict[str, Any]:
    found = {**it.to_dict(), "suggested_label": it.label}
    return {name: found[name] for name in names}


def _note(message: str) -> None:
    err.print(f"note: {message}", soft_wrap=True)

"""`rulenet predict`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from rulenet.base.files import check_output, open_output
from rulenet.cli.answers import Answer, Answerer, ModelAnswers, RuleAnswers, Wanted, answers, most_uncertain
from rulenet.cli.console import AsJson, err
from rulenet.cli.reading import FIND_OUT, Reading, reads_data
from rulenet.cli.tables import TableWriter, format_of
from rulenet.cli.texts import rows_of
from rulenet.errors import DataError, ParameterError

if TYPE_CHECKING:
    from rulenet.data.intake import Row

    Answered = tuple[Row, Answer]


@reads_data
def predict(
    model: Annotated[Path, Argument(help="Model folder, or a rule file: rules alone.", metavar="MODEL")],
    data: Annotated[str, Argument(help="File of texts; - reads lines from standard input.", metavar="DATA")],
    out: Annotated[
        Path | None, Option("--out", "-o", help="Write to this .csv, .tsv or .jsonl file; -: standard output.")
    ] = None,
    every: Annotated[
        bool, Option("--all-probabilities", help="Add a column with the probability of each label.")
    ] = False,
    reject: Annotated[
        float | None, Option(help="Leave the label empty where answers would be wrong more often than this, as 0.02.")
    ] = None,
    coverage: Annotated[
        float | None,
        Option(help="Add a column of the plausible labels: the right one is among them this often, as 0.95."),
    ] = None,
    uncertain: Annotated[
        int | None, Option(help="Write only this many texts: those whose labels would teach the model most.", min=1)
    ] = None,
    prefix: Annotated[str | None, Option(help="Put this before the names of the added columns.")] = None,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Predict labels: every column of the data, and label, probability and path. Files of any length are streamed.

    A column that the data already have is not touched: the added one is then called predicted_label and so on.

    Several labels of a text stand as joy|love in a table and as a list in JSON, with a probability each.

    Example: `rulenet predict model/ new.csv --out labelled.csv`
    """
    form = format_of(out, as_json)
    for option, value in (("--reject", reject), ("--coverage", coverage)):
        if value is not None and not 0 < value < 1:
            raise ParameterError(f"{option} {value} is not a share between 0 and 1, such as 0.02 or 0.95")
    check_output(out, [data], models=[model])
    source = _source(model, Wanted(every, reject, coverage, in_table=form != "jsonl"))
    blocks = answers(source, rows_of(data, how))
    if uncertain is not None:
        blocks = iter([most_uncertain(blocks, uncertain)])
    first = next(blocks, [])  # a source that cannot be read raises its error before anything is written
    with open_output(out or Path("-")) as handle:
        _write(chain([first], blocks), source.columns(), TableWriter(handle, form), prefix)


def _source(model: Path, wanted: Wanted) -> Answerer:
    if model.suffix.lower() in (".yaml", ".yml") and not model.is_dir():
        from rulenet.rules.ruleset import RuleSet

        return RuleAnswers(RuleSet.load(model), wanted)
    from rulenet.estimator import RuleNetClassifier

    return ModelAnswers(RuleNetClassifier.load(model).predictor_, wanted, model)


def _write(blocks: Iterable[list[Answered]], added: Sequence[str], writer: TableWriter, prefix: str | None) -> None:
    """Write the rows with their answers; the first block has the columns of all."""
    names: dict[str, str] = {}
    for block in blocks:
        if not names:
            columns = list(dict.fromkeys(chain.from_iterable(row.cells for row, _ in block))) or ["text"]
            names = _names(added, columns, prefix)
            writer.start([*columns, *names.values()])
        for row, answer in block:
            new = {names[name]: value for name, value in answer.cells.items()}
            if taken := [name for name in new if name in row.cells]:
                raise DataError(
                    f"row {row.number} has a field {taken[0]!r} of its own: name the added ones with --prefix"
                )
            writer.write({**row.cells, **new}, row.number)
        writer.handle.flush()


def _names(added: Sequence[str], columns: Sequence[str], prefix: str | None) -> dict[str, str]:
    """The names of the added columns, none of which the data have."""
    taken = set(columns)
    new = {name: prefix + name if prefix else f"predicted_{name}" if name in taken else name for name in added}
    if clash := sorted(taken & set(new.values())):
        raise DataError(f"the data already have a column {clash[0]!r}: name the added ones with --prefix, as model2_")
    if not prefix and (renamed := [name for name in added if name in taken]):
        columns = "a column " if len(renamed) == 1 else "columns "
        there, here = (" and ".join(repr(before + name) for name in renamed) for before in ("", "predicted_"))
        what = "the prediction is" if len(renamed) == 1 else "the predictions are"
        err.print(f"note: the data already have {columns}{there}, so {what} in {here}", soft_wrap=True)
    return new

"""The options that say how data are read, the same for every command that reads some. Imports columns, errors and typer.

A command takes them all as one parameter, ``how: Reading``, under the decorator `reads_data`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

from typer import Option

from rulenet.data.columns import FIND_OUT as FIND_OUT
from rulenet.data.columns import Reading as Reading
from rulenet.errors import DataError, ParameterError

if TYPE_CHECKING:
    from rulenet.data.load import Dataset
    from rulenet.predictor import Predictor
    from rulenet.store.manifest import ModelConfig

TEXT_HELP = "Column of the texts, or several, as in title,body; default: a usual name."
Encoding = Annotated[
    str | None, Option(help="Encoding of text files, such as gb18030 or cp1252; default: found by itself.")
]
OPTIONS: dict[str, Any] = {
    "text": Annotated[str | None, Option("--text", help=TEXT_HELP)],
    "label": Annotated[str | None, Option("--label", help="Column of the labels; default: a usual name.")],
    "split": Annotated[
        str | None, Option(help="Use only rows with this value in the column 'split', or this split of the hub.")
    ],
    "encoding": Encoding,
    "separator": Annotated[
        str | None, Option(help="What separates columns: ';', tab, …; default: found by itself, tab in .tsv.")
    ],
    "quoting": Annotated[
        bool | None, Option("--quoting/--no-quoting", help="Whether fields may be in quotes; default: not with tabs.")
    ],
    "sheet": Annotated[str | None, Option(help="Sheet of an Excel file; default: the first.")],
    "several": Annotated[
        bool | None,
        Option(
            "--several/--no-several", help="Whether a label cell holds several labels, as joy|love; default: lists do."
        ),
    ],
}


def reads_data(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command those options in the place of its parameter `how`."""
    signature = inspect.signature(command, eval_str=True)

    @wraps(command)
    def run(**given: Any) -> None:  # typer passes every parameter by name
        command(how=Reading(**{name: given.pop(name) for name in OPTIONS}), **given)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    options = [inspect.Parameter(name, kind, default=None, annotation=option) for name, option in OPTIONS.items()]
    parameters = list(signature.parameters.values())
    at = list(signature.parameters).index("how")
    run.__signature__ = signature.replace(parameters=[*parameters[:at], *options, *parameters[at + 1 :]])  # type: ignore[attr-defined]
    run.__annotations__ = {}
    return run


def read_data(
    source: str, how: Reading, *, need_labels: bool = True, limit: int | None = None, seed: int = 0
) -> Dataset:
    """Read the texts of a source, and its labels."""
    from rulenet.data.load import load

    return load(source, **asdict(how), need_labels=need_labels, limit=limit, seed=seed)


def read_alone(source: str, how: Reading) -> Dataset:
    """Read texts for rules without a model, and their labels, if all are there."""
    from rulenet.data.label_cells import check_separated

    found = read_data(source, how, need_labels=False)
    check_separated(set(found.labels or ()), source, how.several)
    return found


def read_for(
    model: Predictor | ModelConfig, source: str, how: Reading, *, need_labels: bool = False, limit: int | None = None
) -> Dataset:
    """Read texts for a fitted model, whose labels, if all are there, are several per text if and only if the model's are."""
    several = model.link.several if hasattr(model, "link") else model.several is not None
    each = "several labels" if several else "one label"
    if how.several not in (None, several):
        option = "--several" if how.several else "--no-several"
        raise ParameterError(f"{option}: the model gives each text {each}, and labels are read so: leave it out")
    found = read_data(source, replace(how, several=several or how.several), need_labels=need_labels, limit=limit)
    if found.labels is not None and found.several != several:
        raise DataError(f"{source} has lists of labels, but the model gives each text {each}")
    return found

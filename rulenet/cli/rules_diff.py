"""`rulenet rules diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rulenet.cli.console import AsJson, LabelColumn, TextColumn, print_json, say_lines
from rulenet.cli.texts import read_texts
from rulenet.errors import ParameterError


def diff(
    a: Annotated[Path, typer.Argument(help="Rule file.", metavar="A")],
    b: Annotated[Path, typer.Argument(help="Rule file to compare with.", metavar="B")],
    data: Annotated[
        str | None,
        typer.Option(help="Also compare firings and predictions on these texts; .txt: one per line.", metavar="FILE"),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model folder: predict with this model and the rules of A or B; default: by starting weights.",
            metavar="MODEL",
        ),
    ] = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    as_json: AsJson = False,
) -> None:
    """Show the differences between two rule files, and which predictions change and why.

    Comments and order do not matter. Exit status 0 if both files have the same meaning, 1 if not.

    Example: `rulenet rules diff rules.yaml edited.yaml --data new.csv`
    """
    if model is not None and data is None:
        raise ParameterError("--model needs texts to predict: add --data FILE")
    from rulenet.rules.ruleset import RuleSet
    from rulenet.workbench.diff import diff_rules

    first, second = RuleSet.load(a), RuleSet.load(b)
    dataset = None if data is None else read_texts(data, text, label)
    if dataset is None:
        found = diff_rules(first, second)
    elif model is None:
        found = diff_rules(first, second, dataset.texts, labels=dataset.labels)
    else:
        from rulenet.estimator import RuleNetClassifier
        from rulenet.workbench.flips import known_labels

        clf = RuleNetClassifier.load(model)
        found = diff_rules(first, second, dataset.texts, labels=known_labels(clf.predictor_, dataset), model=clf)
    if as_json:
        print_json(found.to_dict())
    else:
        say_lines(found.lines())
    raise typer.Exit(0 if found.is_same else 1)

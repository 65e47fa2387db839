"""`rulenet rules diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from rulenet.cli.console import AsJson, err, print_json, say_lines
from rulenet.cli.reading import FIND_OUT, Reading, read_alone, read_for, reads_data
from rulenet.errors import ParameterError


@reads_data
def diff(
    a: Annotated[Path, Argument(help="Rule file.", metavar="A")],
    b: Annotated[Path, Argument(help="Rule file to compare with.", metavar="B")],
    data: Annotated[str | None, Option(help="Also compare what fires on these texts.", metavar="FILE")] = None,
    model: Annotated[Path | None, Option(help="Predict with this model folder; default: by starting weights.")] = None,
    how: Reading = FIND_OUT,
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
    if data is None:
        found = diff_rules(first, second)
    elif model is None:
        dataset = read_alone(data, how)
        if dataset.several:
            said = "note: starting weights give each text one label, so how many are right of several is not said"
            err.print(said, soft_wrap=True)
        found = diff_rules(first, second, dataset.texts, labels=None if dataset.several else dataset.labels)
    else:
        from rulenet.estimator import RuleNetClassifier
        from rulenet.workbench.flips import known_labels

        clf = RuleNetClassifier.load(model)
        dataset = read_for(clf.predictor_, data, how)
        found = diff_rules(first, second, dataset.texts, labels=known_labels(clf.predictor_, dataset), model=clf)
    if as_json:
        print_json(found.to_dict())
    else:
        say_lines(found.lines())
    raise typer.Exit(0 if found.is_same else 1)

"""`rulenet rules diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rulenet.cli.console import AsJson, LabelColumn, TextColumn, print_json
from rulenet.cli.rules_apply import read_texts, show
from rulenet.errors import ParameterError


def diff(
    a: Annotated[Path, typer.Argument(help="A rule file.", metavar="A")],
    b: Annotated[Path, typer.Argument(help="Another one.", metavar="B")],
    data: Annotated[
        str | None, typer.Option(help="Texts on which to compare rules and answers; .txt: one a line.", metavar="FILE")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="Model folder: its answers with the rules of A and of B. Without it, the rules' own starting weights vote.",
                     metavar="MODEL"),
    ] = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """What changed between two rule files, and on which texts the answer changes and why.

    Comments and order do not count. Exit status 0 if both say the same, 1 if not.

    Example: `rulenet rules diff rules.yaml edited.yaml --data new.csv`
    """
    if model is not None and data is None:
        raise ParameterError("--model needs --data FILE, the texts to answer")
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
        show(found.lines())
    raise typer.Exit(0 if found.is_same else 1)

"""`rulenet evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from rulenet.cli.console import AsJson, LabelColumn, Split, TextColumn, out, print_json


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model folder.", metavar="MODEL")],
    data: Annotated[str, typer.Argument(help="Labelled texts.", metavar="DATA")],
    split: Split = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    as_json: AsJson = False,
) -> None:
    """Accuracy, and precision, recall and F1 of each label.

    Example: `rulenet evaluate model/ test.csv`
    """
    from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

    from rulenet.data import load
    from rulenet.errors import DataError
    from rulenet.estimator import RuleNetClassifier

    clf = RuleNetClassifier.load(model)
    dataset = load(data, text=text, label=label, split=split, need_labels=False)
    if dataset.labels is None:
        raise DataError(f"{data} has no labels to compare with, or some are missing; name their column with --label")
    names = [str(name) for name in clf.classes_]
    unknown = sorted(set(dataset.labels) - set(names))
    if unknown:
        raise DataError(
            f"{data} has labels that the model does not know: {', '.join(map(repr, unknown[:5]))}; it knows {', '.join(map(repr, names))}"
        )
    predicted = [str(name) for name in clf.predict(dataset.texts)]
    precision, recall, f1, support = precision_recall_fscore_support(
        dataset.labels, predicted, labels=names, zero_division=0.0
    )
    accuracy = accuracy_score(dataset.labels, predicted)
    macro = f1_score(dataset.labels, predicted, labels=names, average="macro", zero_division=0.0)
    if as_json:
        rows = {
            n: {"precision": p, "recall": r, "f1": f, "texts": int(s)}
            for n, p, r, f, s in zip(names, precision, recall, f1, support, strict=True)
        }
        print_json({"texts": len(predicted), "accuracy": accuracy, "macro_f1": macro, "labels": rows})
        return
    table = Table(box=None)
    for column in ("label", "precision", "recall", "F1", "texts"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for name, *figures, texts in zip(names, precision, recall, f1, support, strict=True):
        table.add_row(Text(name), *(f"{figure:.3f}" for figure in figures), str(texts))
    out.print(table)
    out.print(f"accuracy {accuracy:.4f}, macro F1 {macro:.4f}, {len(predicted):,} texts")

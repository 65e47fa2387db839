"""`rulenet evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from rulenet.cli.console import AsJson, LabelColumn, Split, TextColumn, out, print_json

if TYPE_CHECKING:
    from rulenet.estimator import RuleNetClassifier

COVERAGE = 0.95


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model folder.", metavar="MODEL")],
    data: Annotated[str, typer.Argument(help="Labelled texts.", metavar="DATA")],
    split: Split = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    as_json: AsJson = False,
) -> None:
    """Accuracy, and precision, recall and F1 of each label; how far probabilities and label sets can be believed.

    Example: `rulenet evaluate model/ test.csv`
    """
    from rulenet.data.load import load
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
    figures = judge(clf, dataset.texts, [names.index(name) for name in dataset.labels], names)
    if as_json:
        print_json(figures)
    else:
        show(figures)


def judge(clf: RuleNetClassifier, texts: list[str], y: list[int], names: list[str]) -> dict[str, Any]:
    """Everything that labelled texts say of a model, as plain data.

    Parameters
    ----------
    y
        Class index of each text.
    names
        The classes as strings.
    """
    import numpy as np
    from sklearn.metrics import precision_recall_fscore_support

    from rulenet.decide.calibration import expected_calibration_error

    proba, skipped = clf.predict_with_path(texts)
    right, known = proba.argmax(axis=1) == y, np.array(y)
    rows = zip(
        names, *precision_recall_fscore_support(known, proba.argmax(axis=1), labels=range(len(names)), zero_division=0.0), strict=True
    )  # fmt: skip
    labels = {
        name: {"precision": float(p), "recall": float(r), "f1": float(f), "texts": int(n)} for name, p, r, f, n in rows
    }
    paths = {
        path: {"texts": int(taken.sum()), "accuracy": float(right[taken].mean())}
        for path, taken in (("hybrid", ~skipped), ("rules", skipped))
        if taken.any()
    }
    sets = None
    if clf.calibration_ is not None:
        plausible = clf.calibration_.label_sets(proba, skipped, coverage=COVERAGE)
        held = float(plausible[np.arange(len(known)), known].mean())
        sets = {"asked": COVERAGE, "coverage": held, "mean_size": float(plausible.sum(axis=1).mean())}
    return {
        "texts": len(known), "accuracy": float(right.mean()), "macro_f1": float(np.mean([row["f1"] for row in labels.values()])),
        "ece": expected_calibration_error(proba, known), "paths": paths, "label_sets": sets, "labels": labels,
    }  # fmt: skip


def show(figures: dict[str, Any]) -> None:
    """The same as text."""
    table = Table(box=None)
    for column in ("label", "precision", "recall", "F1", "texts"):
        table.add_column(column, justify="left" if column == "label" else "right")
    for name, row in figures["labels"].items():
        table.add_row(Text(name), *(f"{row[key]:.3f}" for key in ("precision", "recall", "f1")), str(row["texts"]))
    out.print(table)
    out.print(f"accuracy {figures['accuracy']:.4f}, macro F1 {figures['macro_f1']:.4f}, {figures['texts']:,} texts")
    out.print(f"probabilities are off by {figures['ece']:.1%} on average (ECE)")
    if len(figures["paths"]) > 1:
        for path, name in (("hybrid", "φ + ψ"), ("rules", "φ alone, ψ skipped")):
            row = figures["paths"][path]
            out.print(f"{name}: {row['texts'] / figures['texts']:.1%} of the texts, accuracy {row['accuracy']:.4f}")
    if figures["label_sets"]:
        sets = figures["label_sets"]
        asked, held = (
            f"label sets for a coverage of {sets['asked']:.0%}",
            f"hold the right label for {sets['coverage']:.1%}",
        )
        out.print(f"{asked} {held}, with {sets['mean_size']:.2f} labels on average", soft_wrap=True)

"""`rulenet evaluate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from rulenet.base.wording import counted
from rulenet.cli import evaluate_sets
from rulenet.cli.console import AsJson, Model, new_table, out, print_json, say, snippet
from rulenet.cli.reading import FIND_OUT, Reading, read_for, reads_data

if TYPE_CHECKING:
    from rulenet.base.types import Array
    from rulenet.estimator import RuleNetClassifier

COVERAGE = 0.95
WIDEST_MATRIX = 10  # labels; of more, the most frequent confusions are listed


@reads_data
def evaluate(
    model: Model,
    data: Annotated[str, Argument(help="Labelled texts.", metavar="DATA")],
    mistakes: Annotated[int, Option(help="How many of the worst mistakes to show.", min=0)] = 5,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Evaluate a model on labelled texts: accuracy; precision, recall and F1 of each label; what is taken for what; the worst mistakes.

    Of several labels per text: F1 in three means, how labels are ranked, and each label's threshold.

    The worst mistakes are the wrong answers that the model was surest of: often it is the label that is wrong.

    Example: `rulenet evaluate model/ test.csv`
    """
    from rulenet.data.targets import class_indices, label_matrix
    from rulenet.errors import DataError
    from rulenet.estimator import RuleNetClassifier

    clf = RuleNetClassifier.load(model)
    dataset = read_for(clf.predictor_, data, how)
    if dataset.labels is None:
        raise DataError(f"{data}: some or all labels are missing: complete them, or name their column with --label")
    if clf.predictor_.link.several:
        Y = label_matrix(dataset.labels, clf.classes_.tolist(), data)
        of_sets = evaluate_sets.judge(clf.predictor_, dataset.texts, Y, COVERAGE, worst=mistakes, rows=dataset.rows)
        (print_json if as_json else evaluate_sets.show)(of_sets)
        return
    y = class_indices(dataset.labels, clf.classes_.tolist(), data)
    figures = judge(clf, dataset.texts, y, worst=mistakes, rows=dataset.rows)
    (print_json if as_json else show)(figures)


def judge(
    clf: RuleNetClassifier, texts: list[str], y: Array, *, worst: int = 0, rows: Sequence[int] | None = None
) -> dict[str, Any]:
    """Measure a model on texts whose class indices are `y`; return plain data."""
    import numpy as np
    from sklearn.metrics import precision_recall_fscore_support

    from rulenet.decide.calibration import expected_calibration_error

    proba, skipped = clf.predict_with_path(texts)
    predicted, names = proba.argmax(axis=1), [str(name) for name in clf.classes_]
    right = predicted == y
    scores = precision_recall_fscore_support(y, predicted, labels=range(len(names)), zero_division=0.0)
    labels = {
        name: {"precision": float(p), "recall": float(r), "f1": float(f), "texts": int(n)}
        for name, p, r, f, n in zip(names, *scores, strict=True)
    }
    paths = {
        path: {"texts": int(taken.sum()), "accuracy": float(right[taken].mean())}
        for path, taken in (("hybrid", ~skipped), ("rules", skipped))
        if taken.any()
    }
    sets = None
    if clf.calibration_ is not None:
        plausible = clf.calibration_.label_sets(proba, skipped, coverage=COVERAGE)
        covered = float(plausible[np.arange(len(y)), y].mean())
        sets = {"asked": COVERAGE, "coverage": covered, "mean_size": float(plausible.sum(axis=1).mean())}
    macro_f1, ece = float(np.mean([row["f1"] for row in labels.values()])), expected_calibration_error(proba, y)
    figures = {"texts": len(y), "accuracy": float(right.mean()), "macro_f1": macro_f1, "ece": ece}
    confusion = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(confusion, (y, predicted), 1)
    wrong = np.flatnonzero(~right)
    surest = wrong[np.argsort(-proba[wrong, predicted[wrong]], kind="stable")[:worst]].tolist()
    mistakes = [
        {
            "row": i + 1 if rows is None else rows[i],
            "text": texts[i],
            "label": names[y[i]],
            "answer": names[predicted[i]],
            "probability": float(proba[i, predicted[i]]),
        }
        for i in surest
    ]
    found = {"paths": paths, "label_sets": sets, "labels": labels}
    return {**figures, **found, "confusion": confusion.tolist(), "mistakes": mistakes}


def show(figures: dict[str, Any]) -> None:
    """Print the results as text."""
    table = new_table("label", "precision", "recall", "F1", "texts")
    for name, row in figures["labels"].items():
        table.add_row(name, *(f"{row[key]:.3f}" for key in ("precision", "recall", "f1")), str(row["texts"]))
    out.print(table)
    accuracy, n_texts = figures["accuracy"], figures["texts"]
    say(f"accuracy {accuracy:.4f}, macro F1 {figures['macro_f1']:.4f}, {counted(n_texts, 'text')}")
    evaluate_sets.show_probabilities(figures, "accuracy {accuracy:.4f}", "the correct label")
    show_confusion(list(figures["labels"]), figures["confusion"])
    for mistake in evaluate_sets.headed(figures["mistakes"]):
        answer, label, shown = mistake["answer"], mistake["label"], snippet(mistake["text"])
        say(f"row {mistake['row']}: {answer} ({mistake['probability']:.0%}), labelled {label}: {shown}")


def show_confusion(names: list[str], counts: list[list[int]]) -> None:
    """Print what is taken for what: all of it, or of many labels the most frequent confusions."""
    pairs = [(counts[i][j], names[i], names[j]) for i in range(len(names)) for j in range(len(names)) if i != j]
    pairs = sorted((pair for pair in pairs if pair[0]), key=lambda pair: -pair[0])
    if not pairs:
        return
    say()
    if len(names) > WIDEST_MATRIX:
        say(("Most frequent confusions", "bold"))
        for n, label, answer in pairs[:WIDEST_MATRIX]:
            say(f"{counted(n, 'text')} labelled {label}: answer {answer}")
        return
    say(("Confusion matrix", "bold"), ": labels on the left, answers above")
    table = new_table("", *names)
    for name, row in zip(names, counts, strict=True):
        table.add_row(name, *(f"{n:,}" if n else "·" for n in row))
    out.print(table)

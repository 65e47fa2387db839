"""What `rulenet evaluate` measures and prints where texts have several labels. Imports the console; the model and scikit-learn late.

F1 is the mean over labels (macro), over all decisions (micro) and over texts (samples), as scikit-learn computes them. A label that
nothing has and nothing gets counts as 0, a text of which the same is true as 1. Ranking is its label ranking average precision and
loss, by calibrated probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rulenet.base.wording import counted
from rulenet.cli.console import new_table, out, say, snippet

if TYPE_CHECKING:
    from rulenet.base.types import Array
    from rulenet.predictor import Predictor

MEANS = ("macro", "micro", "samples")


def judge(
    predictor: Predictor,
    texts: list[str],
    Y: Array,
    coverage: float,
    *,
    worst: int = 0,
    rows: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Measure a model on texts whose labels are `Y`, 0 or 1 of shape (n_texts, n_classes); return plain data."""
    import numpy as np
    from sklearn.metrics import (
        label_ranking_average_precision_score,
        label_ranking_loss,
        precision_recall_fscore_support,
    )

    from rulenet.decide.calibration import expected_calibration_error
    from rulenet.model.link import AnyOf
    from rulenet.predictor import BLOCK

    link, names = predictor.link, predictor.names
    blocks = [predictor.parts(texts[at : at + BLOCK]) for at in range(0, len(texts), BLOCK)]
    logits, skipped = np.vstack([b.logits for b in blocks]), np.concatenate([b.skipped for b in blocks])
    answers, proba = link.answer(logits), predictor.policy.probabilities(logits, skipped)
    thresholds = np.broadcast_to(link.at if isinstance(link, AnyOf) else 0.0, len(names))
    exact = (answers == Y).all(axis=1)
    scores = precision_recall_fscore_support(Y, answers, average=None, zero_division=0.0)
    labels = {
        name: {"precision": float(p), "recall": float(r), "f1": float(f), "texts": int(n), "threshold": float(at)}
        for name, p, r, f, n, at in zip(names, *scores, thresholds, strict=True)
    }
    means = {
        mean: dict(zip(("precision", "recall", "f1"), map(float, of[:3]), strict=True))
        for mean in MEANS
        if (of := precision_recall_fscore_support(Y, answers, average=mean, zero_division=float(mean == "samples")))
    }
    yes = proba.ravel()
    return {
        "texts": len(Y),
        "without_label": int((~Y.any(axis=1)).sum()),
        "exact_match": float(exact.mean()),
        "means": means,
        "ranking": {
            "average_precision": float(label_ranking_average_precision_score(Y, proba)),
            "loss": float(label_ranking_loss(Y, proba)),
        },
        "ece": expected_calibration_error(np.stack([1 - yes, yes], axis=1), Y.ravel()),
        "paths": {
            path: {"texts": int(taken.sum()), "exact_match": float(exact[taken].mean())}
            for path, taken in (("hybrid", ~skipped), ("rules", skipped))
            if taken.any()
        },
        "label_sets": _sets(predictor, proba, skipped, Y, coverage),
        "labels": labels,
        "mistakes": _mistakes(texts, Y, answers, proba, names, worst, rows),
    }


def _sets(predictor: Predictor, proba: Array, skipped: Array, Y: Array, coverage: float) -> dict[str, float] | None:
    """How often a set of plausible labels has all right ones, and how large it is."""
    if predictor.policy.calibration is None:
        return None
    plausible = predictor.policy.calibration.label_sets(proba, skipped, coverage=coverage)
    covered = float((plausible | (Y == 0)).all(axis=1).mean())
    return {"asked": coverage, "coverage": covered, "mean_size": float(plausible.sum(axis=1).mean())}


def _mistakes(
    texts: list[str], Y: Array, answers: Array, proba: Array, names: list[str], worst: int, rows: Sequence[int] | None
) -> list[dict[str, Any]]:
    """The texts with the wrong decision that the model was surest of, and the label that it was about."""
    import numpy as np

    sure = np.where(answers > 0, proba, 1 - proba)
    sure = np.where(answers == Y, -1.0, sure)  # (n, K)
    order = np.argsort(-sure.max(axis=1), kind="stable")[:worst].tolist()
    found = []
    for i in order:
        k = int(sure[i].argmax())
        if sure[i, k] >= 0:
            has, given = ([name for name, one in zip(names, row, strict=True) if one] for row in (Y[i], answers[i]))
            row = i + 1 if rows is None else rows[i]
            about = {"label": names[k], "probability": float(proba[i, k])}
            found.append({"row": row, "text": texts[i], "labels": has, "answer": given, **about})
    return found


def show(figures: dict[str, Any]) -> None:
    """Print the results as text."""
    table = new_table("label", "precision", "recall", "F1", "texts", "threshold")
    for name, row in figures["labels"].items():
        shares = (f"{row[key]:.3f}" for key in ("precision", "recall", "f1"))
        table.add_row(name, *shares, str(row["texts"]), f"{row['threshold']:+.2f}")
    out.print(table)
    n_texts, means = figures["texts"], figures["means"]
    say(", ".join(f"{mean} F1 {means[mean]['f1']:.4f}" for mean in MEANS) + f", {counted(n_texts, 'text')}")
    exact, without = figures["exact_match"], counted(figures["without_label"], "text has none", "texts have none")
    say(f"exactly the right labels {exact:.4f}; {without}")
    ranking = figures["ranking"]
    say(f"ranking of the labels: average precision {ranking['average_precision']:.4f}, loss {ranking['loss']:.4f}")
    show_probabilities(figures, "{exact_match:.4f} exactly right", "all right labels")
    for mistake in headed(figures["mistakes"]):
        what = "missing" if mistake["label"] in mistake["labels"] else "too much"
        about = f"{mistake['label']} is {what} ({mistake['probability']:.0%})"
        labelled = ", ".join(mistake["labels"]) or "with nothing"
        say(f"row {mistake['row']}: {about}, labelled {labelled}: {snippet(mistake['text'])}")


def show_probabilities(figures: dict[str, Any], score: str, right: str) -> None:
    """Print how far probabilities are off, what each path is worth, and what label sets hold, with one label per text or several."""
    say(f"probabilities are off by {figures['ece']:.1%} on average (ECE)")
    if len(figures["paths"]) > 1:
        for path, name in (("hybrid", "φ + ψ"), ("rules", "φ alone, ψ skipped")):
            row = figures["paths"][path]
            say(f"{name}: {row['texts'] / figures['texts']:.1%} of the texts, {score.format(**row)}")
    if sets := figures["label_sets"]:
        asked, size = f"label sets for a coverage of {sets['asked']:.0%}", f"{sets['mean_size']:.2f} labels on average"
        say(f"{asked} contain {right} of {sets['coverage']:.1%} of the texts, with {size}")


def headed(mistakes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The mistakes, after a heading if there are any."""
    if mistakes:
        say()
        say(("Surest mistakes", "bold"))
    return mistakes

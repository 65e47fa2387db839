"""Claim: on the test rows probabilities are off by at most 2 points (ECE, 15 bins), label sets contain the correct label within 1 point
of the 0.90 and 0.95 they promise, and within 2 points for the texts of each label if that is requested.

    python benchmarks/bench_calibration.py                                  φ alone on every provided row of AG News and IMDB
    python benchmarks/bench_calibration.py ag_news                          one of them
    python benchmarks/bench_calibration.py --model models/ag --data ag_news  and saved models as well, any number of them

Temperatures and quantiles come from texts held out of training; no test row is used before.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from common import RULES, finish, read

from rulenet import RuleNetClassifier
from rulenet.decide.calibration import expected_calibration_error

COVERAGES = (0.9, 0.95)
ECE, MARGINAL, PER_CLASS = 0.02, 0.01, 0.02
REJECT = 0.05


def measure(clf: RuleNetClassifier, texts: list[str], labels: list[str]) -> dict[str, Any]:
    """Compare what held-out texts promised with the test rows."""
    y = np.searchsorted(clf.classes_, labels)
    calibration, rows = clf.calibration_, np.arange(len(y))
    if calibration is None:
        raise SystemExit("this model has no held-out texts")
    proba, skipped = clf.predict_with_path(texts)
    logits = clf.decision_function(texts)
    logits = np.stack([np.zeros(len(y)), logits], axis=1) if logits.ndim == 1 else logits
    figures: dict[str, Any] = {
        "texts": len(y), "held_out_texts": len(calibration.y), "temperature": calibration.summary()["temperature"],
        "accuracy": float((proba.argmax(axis=1) == y).mean()), "ece_held_out": calibration.summary()["ece"],
        "ece": expected_calibration_error(proba, y), "ece_uncalibrated": expected_calibration_error(clf.predictor_.link.proba(logits), y),
        "share_skipped": float(skipped.mean()),
    }  # fmt: skip
    for coverage in COVERAGES:
        sets = calibration.label_sets(proba, skipped, coverage=coverage)
        apart = calibration.label_sets(proba, skipped, coverage=coverage, per_class=True)
        figures[f"sets_{coverage:g}"] = {
            "coverage": float(sets[rows, y].mean()),
            "mean_size": float(sets.sum(axis=1).mean()),
            "per_class": {name: float(apart[rows, y][y == k].mean()) for k, name in enumerate(clf.classes_.tolist())},
            "per_class_mean_size": float(apart.sum(axis=1).mean()),
        }
    accepted = calibration.accepted(proba, error=REJECT)
    wrong = (proba.argmax(axis=1) != y)[accepted]
    figures[f"reject_{REJECT:g}"] = {
        "answered": float(accepted.mean()),
        "error": float(wrong.mean()) if len(wrong) else 0.0,
    }
    return rounded(figures)


def rounded(value: Any) -> Any:
    """Round to four digits, at any depth."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def claims_of(name: str, figures: dict[str, Any]) -> dict[str, bool]:
    """Return the claims for one model."""
    sets = {coverage: figures[f"sets_{coverage:g}"] for coverage in COVERAGES}
    return {
        f"{name}: ECE <= {ECE:.0%}": figures["ece"] <= ECE,
        f"{name}: label sets within {MARGINAL:.0%} of what they promise": all(
            abs(found["coverage"] - coverage) <= MARGINAL for coverage, found in sets.items()
        ),
        f"{name}: label sets within {PER_CLASS:.0%} for each label": all(
            abs(share - coverage) <= PER_CLASS
            for coverage, found in sets.items()
            for share in found["per_class"].values()
        ),
    }


def main() -> None:
    """Measure φ alone, and saved models."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=["ag_news", "imdb"], help="data sets for φ alone")
    parser.add_argument("--model", action="append", default=[], help="folder of a saved model")
    parser.add_argument("--data", action="append", default=[], help="its data set, in the same order")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if len(options.model) != len(options.data):
        parser.error("one --data for each --model")
    figures = {}
    for name in options.names:
        clf = RuleNetClassifier(RULES / f"{name}.yaml", None, n_jobs=options.jobs, random_state=0).fit(
            *read(name, "train")
        )
        figures[f"{name}, φ alone"] = measure(clf, *read(name, "test"))
    for folder, name in zip(options.model, options.data, strict=True):
        figures[f"{name}, φ + ψ"] = measure(RuleNetClassifier.load(folder, n_jobs=options.jobs), *read(name, "test"))
    claims = {claim: held for name, found in figures.items() for claim, held in claims_of(name, found).items()}
    finish("calibration", figures, claims, seeds=[0])


if __name__ == "__main__":
    main()

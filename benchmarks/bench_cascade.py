"""Claim: on the official test rows a certified cascade changes no prediction, and a statistical one at most the share that it promises.

    python benchmarks/bench_cascade.py --model models/ag --data ag_news [--risk 0.005] [--device cpu]

A saved hybrid model predicts every test row three times: with ψ for all, certified, statistical. The margin of the statistical cascade
comes from the texts that were held out when the model was trained.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from common import accuracy, finish, read, sample

from rulenet import RuleNetClassifier
from rulenet.decide.cascade import MODES


def measure(clf: RuleNetClassifier, texts: list[str], labels: list[str]) -> dict[str, dict[str, Any]]:
    """Measure predictions, time and skipped texts, for each mode."""
    found: dict[str, dict[str, Any]] = {}
    everything = None
    for mode in MODES:
        clf.set_params(cascade=mode)
        started = time.perf_counter()
        proba, skipped = clf.predict_with_path(texts)
        seconds = time.perf_counter() - started
        answers = clf.classes_[proba.argmax(axis=1)]
        everything = answers if everything is None else everything
        changed = int((answers != everything).sum())
        right = np.array([str(answer) == label for answer, label in zip(answers.tolist(), labels, strict=True)])
        found[mode] = {
            "accuracy": round(accuracy(answers, labels), 4),
            "accuracy_skipped": round(float(right[skipped].mean()), 4) if skipped.any() else None,
            "accuracy_not_skipped": round(float(right[~skipped].mean()), 4) if not skipped.all() else None,
            "skipped": round(float(skipped.mean()), 4), "changed": changed, "changed_share": round(changed / len(texts), 5),
            "seconds": round(seconds, 1), "texts_per_s": round(len(texts) / seconds), "promised": clf.cascade_report_,
        }  # fmt: skip
    return found


def main() -> None:
    """Measure one saved model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a saved hybrid model")
    parser.add_argument("--data", required=True, help="its data set, e.g. ag_news")
    parser.add_argument("--risk", type=float, default=0.005)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--test", type=int, default=0, help="use only so many test rows (0: all)")
    options = parser.parse_args()
    clf = RuleNetClassifier.load(options.model, device=options.device).set_params(cascade_risk=options.risk)
    if not clf.predictor_.hybrid.is_neural:
        parser.error(f"{options.model} has no ψ that could be skipped")
    texts, labels = read(options.data, "test")
    if options.test:
        texts, labels = sample(texts, labels, options.test, 0)
    clf.predict(texts[:64])  # the first call loads and warms up
    figures = measure(clf, texts, labels)
    statistical = figures["statistical"]
    bound = statistical["promised"]["risk_bound"]
    name = options.data
    claims = {
        f"{name}: certified changes no answer of {len(texts):,}": figures["certified"]["changed"] == 0,
        f"{name}: statistical changes at most {bound:.2%} of the answers": statistical["changed_share"] <= bound,
    }
    finish(
        f"cascade_{name}",
        {"texts": len(texts), "risk": options.risk, **figures},
        claims,
        device=options.device,
        seeds=[],
    )


if __name__ == "__main__":
    main()

"""Which parts of training help: each is removed or added alone, with the same rows and seed, and evaluated on held-out training rows.

Test rows are never used, so that recipes can be chosen from this table. Claim: no variant is better than the defaults by more than twice
the standard error of the paired difference. If this fails, a default should change.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
from common import RULES, finish, read, sample

VARIANTS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "φ in-sample (no folds)": {"folds": 1},
    "φ in-sample, φ-dropout 0.2": {"folds": 1, "phi_dropout": 0.2},
    "φ-dropout 0.2": {"phi_dropout": 0.2},
    "no loss of ψ alone (λ₁ = 0)": {"psi_loss": 0.0},
    "one joint epoch": {"joint_epochs": 1},
    "all epochs joint": {"joint_epochs": 3},
    "all epochs joint, φ four times as fast": {"joint_epochs": 3, "phi_learning_rate": 2e-2},
    "all epochs joint, φ four times as fast, λ₂ = 0": {"joint_epochs": 3, "phi_learning_rate": 2e-2, "phi_loss": 0.0},
    "ψ unbounded": {"bound": None},
    "B = 3": {"bound": 3.0},
    "exit margin 2": {"exit_margin": 2.0},
    "no naive Bayes prior": {"nb": False},
    "no rules": {"rules": None},
    "no terms": {"tfidf": False},
    "ψ reads the head only": {"long_texts": "head"},
    "ψ reads two windows": {"long_texts": "chunks", "max_chunks": 2},
}


def judge(clf: Any, texts: list[str], labels: list[str]) -> tuple[dict[str, float], Any]:
    """Measure accuracy (parts, and sum with and without the two scalars), certified exits, and which predictions are right."""
    hybrid = clf.predictor_.hybrid
    parts = clf.predictor_.parts(texts, may_skip=False)
    y = np.searchsorted(clf.classes_, labels)
    unscaled = parts.phi / hybrid.phi_scale + (parts.psi / hybrid.psi_scale if hybrid.psi_scale else parts.psi)
    accuracies = {
        name: round(float((logits.argmax(axis=1) == y).mean()), 4)
        for name, logits in (("phi", parts.phi), ("psi", parts.psi), ("hybrid", parts.logits), ("no_scalars", unscaled))
    }
    exits = float((hybrid.link.lead(parts.phi) > hybrid.link.flip_margin(hybrid.psi.bound, hybrid.psi_scale)).mean())
    return {**accuracies, "certified_exits": round(exits, 4)}, parts.logits.argmax(axis=1) == y


def main() -> None:
    """Run every variant once per seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="ag_news")
    parser.add_argument("--train", type=int, default=1000)
    parser.add_argument("--judge", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", default="", help="comma-separated starts of variant names; the defaults always run")
    options = parser.parse_args()
    from rulenet import Recipe, RuleNetClassifier

    texts, labels = read(options.data, "train")
    wanted = [name for name in VARIANTS if name == "defaults" or name.startswith(tuple(options.only.split(",")))]
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in wanted}
    right: dict[str, list[Any]] = {name: [] for name in wanted}
    for seed in range(options.seeds):
        chosen, answers = sample(texts, labels, options.train + options.judge, seed)
        cut = options.train
        for name in wanted:
            changes = dict(VARIANTS[name])
            rules = changes.pop("rules", RULES / f"{options.data}.yaml")
            clf = RuleNetClassifier(
                rules, "minilm", recipe=Recipe.of(**changes), device=options.device, random_state=seed
            )
            started = time.perf_counter()
            clf.fit(chosen[:cut], answers[:cut])
            seconds = time.perf_counter() - started
            row, is_right = judge(clf, chosen[cut:], answers[cut:])
            rows[name].append({**row, "fit_seconds": round(seconds, 1)})
            right[name].append(is_right)
            print(seed, name, rows[name][-1], flush=True)
    table = {}
    for name in wanted:
        table[name] = {key: round(statistics.mean(row[key] for row in rows[name]), 4) for key in rows[name][0]}
        difference = np.concatenate(right[name]).astype(float) - np.concatenate(right["defaults"]).astype(float)
        table[name]["gain"] = round(float(difference.mean()), 4)
        table[name]["gain_se"] = round(float(difference.std() / np.sqrt(len(difference))), 4)
    claims = {
        f"{name}: no better than the defaults by more than two standard errors": row["gain"] <= 2 * row["gain_se"]
        for name, row in table.items()
        if name != "defaults"
    }
    figures = {
        "data": options.data,
        "train_rows": options.train,
        "judged_on": f"{options.judge} other training rows",
        "table": table,
    }
    finish(f"ablation_{options.data}", figures, claims, device=options.device, seeds=list(range(options.seeds)))


if __name__ == "__main__":
    main()

"""Which texts to label next: suggested, at random, where the model is least sure, and only typical and different ones.

Two labels a class at random, then 20 in all, 40 and so on up to 100 of a pool of 1,000 training rows. After each round a model is fitted,
and judged on test rows: logistic regression over h(x) of MiniLM, and for random and suggested labels also φ + ψ with that encoder as it
comes. Claims: of that regression, suggested labels are nowhere worth less than random ones (two standard errors of the mean over pools
aside), a point more on average, and more than those of either half of the method; of φ + ψ they are worth more on average. Takes twenty
minutes on two cores; ``--keep FOLDER`` keeps finished cells, so that a run can go on; ``--sets`` and ``--models`` choose some.
"""

from __future__ import annotations

import argparse
import json
import random
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench_few import rows_of, states
from common import finish
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from rulenet import Recipe, RuleNetClassifier
from rulenet.model.link import ONE_OF
from rulenet.model.psi import LENGTH
from rulenet.workbench.covering import choose

SETS = {
    "ag_news": (1500, 1000),
    "trec": (1500, 500),
    "youtube_spam": (1200, 370),
}  # training rows, of which a pool is drawn; test rows
POOL = 1000
START, UNTIL = 2, (20, 40, 60, 80, 100)
ENCODER = "minilm"
# From cosines, doubt, and how near the labelled texts are, to the rows that are labelled next.
Choice = Callable[[Any, Any, Any, int, np.random.Generator], Any]
CHOICES: dict[str, Choice] = {
    "random": lambda K, doubt, covered, n, rng: rng.permutation(len(K))[:n],
    "unsure": lambda K, doubt, covered, n, rng: np.argsort(-doubt, kind="stable")[:n],
    "different": lambda K, doubt, covered, n, rng: choose(K, np.ones(len(K)), n, covered)[0],
    "suggested": lambda K, doubt, covered, n, rng: choose(K, doubt, n, covered)[0],
}


class Data:
    """Texts, labels and h(x) of the pool and the test rows of a set."""

    def __init__(self, name: str, keep: Path | None) -> None:
        self.parts: dict[str, tuple[list[str], list[str]]] = {}
        for split, n in zip(("train", "test"), SETS[name], strict=True):
            texts, labels = rows_of(name, split)
            rows = random.Random(0).sample(range(len(texts)), n)
            self.parts[split] = [texts[i] for i in rows], [labels[i] for i in rows]
        file = keep and keep / f"{name}.npz"
        if file and file.exists():
            self.h = dict(np.load(file))
        else:
            self.h = {split: states(texts, ENCODER) for split, (texts, _) in self.parts.items()}
            if file:
                np.savez(file, **self.h)


Fitted = tuple[list[str], Any, Any]  # names of the classes, logits of some training rows, logits of the test rows


def probe(data: Data, chosen: list[int], rest: list[int], seed: int) -> Fitted:
    """Logistic regression over h(x), all labels counting alike."""
    mean = data.h["train"].mean(axis=0)
    Z, test = (normalize(data.h[split] - mean) for split in ("train", "test"))
    model = LogisticRegression(C=3.0, max_iter=300, class_weight="balanced")
    model.fit(Z[chosen], [data.parts["train"][1][i] for i in chosen])
    logits = [model.decision_function(rows) for rows in (Z[rest], test)]
    return (
        model.classes_.tolist(),
        *(np.stack([0 * z, z], axis=1) if z.ndim == 1 else z for z in logits),
    )


def hybrid(data: Data, chosen: list[int], rest: list[int], seed: int) -> Fitted:
    """φ + ψ whose encoder is as it came, so that h(x) is known."""
    import torch

    texts, labels = data.parts["train"]
    clf = RuleNetClassifier(None, ENCODER, recipe=Recipe.of(epochs=0, contrast_steps=0), random_state=seed)
    fitted = clf.fit([texts[i] for i in chosen], [labels[i] for i in chosen]).predictor_.hybrid
    found = []
    for some, h in (([texts[i] for i in rest], data.h["train"][rest]), (data.parts["test"][0], data.h["test"])):
        phi = fitted.weights.logits(fitted.features.transform(some))
        with torch.inference_mode():
            unit = torch.as_tensor(LENGTH * normalize(h), dtype=torch.float32)
            psi = fitted.psi.head(unit, torch.as_tensor(phi, dtype=torch.float32)).numpy()
        found.append(fitted.phi_scale * phi + fitted.psi_scale * psi)
    return [str(label) for label in clf.classes_], found[0], found[1]


# Model, seeds, choices.
MODELS: dict[str, tuple[Callable[[Data, list[int], list[int], int], Fitted], range, list[str]]] = {
    "probe": (probe, range(20), list(CHOICES)),
    "hybrid": (hybrid, range(3), ["random", "suggested"]),
}


def cell(data: Data, model: str, choice: Choice, seed: int) -> list[float]:
    """Accuracy on the test rows with the first labels, and after each round."""
    labels, rng = data.parts["train"][1], np.random.default_rng(seed)
    pool = random.Random(seed).sample(range(len(labels)), POOL)
    chosen = [i for label in sorted(set(labels)) for i in [i for i in pool if labels[i] == label][:START]]
    Z = normalize(data.h["train"] - data.h["train"].mean(axis=0))
    found: list[float] = []
    for until in (*UNTIL, None):
        rest = np.setdiff1d(pool, chosen)
        names, logits, of_test = MODELS[model][0](data, chosen, rest.tolist(), seed)
        answers = of_test.argmax(axis=1).tolist()
        found.append(float(np.mean([names[k] == y for k, y in zip(answers, data.parts["test"][1], strict=True)])))
        if until is not None:
            covered = (Z[rest] @ Z[chosen].T).max(axis=1).clip(0)
            doubt = 1 - ONE_OF.lead(ONE_OF.proba(logits))
            K = (Z[rest] @ Z[rest].T).astype(np.float32)
            chosen += rest[choice(K, doubt, covered, until - len(chosen), rng)].tolist()
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--no-report", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    curves: dict[tuple[str, str, str], list[list[float]]] = defaultdict(list)
    for name in given.sets:
        data = Data(name, given.keep)
        for model in given.models:
            _, seeds, choices = MODELS[model]
            for seed, what in ((seed, what) for seed in seeds for what in choices):
                file = given.keep and given.keep / f"{name}-{model}-{what}-{seed}.json"
                if file and file.exists():
                    curve = json.loads(file.read_text())
                else:
                    curve = cell(data, model, CHOICES[what], seed)
                    print(name, model, seed, what, np.round(curve, 3), flush=True)
                if file:
                    file.write_text(json.dumps(curve))
                curves[model, name, what].append(curve)
    if not given.no_report:
        report(curves, given.sets, given.models)


def report(curves: dict[tuple[str, str, str], list[list[float]]], sets: list[str], models: list[str]) -> None:
    """Means over seeds, the gain over random labels, and the claims."""
    figures: dict[str, Any] = {"labels": ["2 a class", *UNTIL]}
    for model in models:
        gains: dict[str, list[float]] = defaultdict(list)
        for name in sets:
            found = figures[f"{name}, {model}"] = {}
            random_ones = np.array(curves[model, name, "random"])
            for what in MODELS[model][2]:
                found[what] = np.round(100 * np.mean(curves[model, name, what], axis=0), 1).tolist()
                ahead = 100 * (np.array(curves[model, name, what]) - random_ones)[:, 1:].mean(axis=1)  # (n_seeds,)
                if what != "random":
                    gains[what].append(float(ahead.mean()))
                    error = float(ahead.std(ddof=1) / np.sqrt(len(ahead)))
                    found[f"{what}, gain and its error"] = [round(gains[what][-1], 2), round(error, 2)]
        figures[f"mean gain, {model}"] = {what: round(float(np.mean(values)), 2) for what, values in gains.items()}
    claims = {}
    if mean := figures.get("mean gain, probe"):
        for name in sets:
            gain, error = figures[f"{name}, probe"]["suggested, gain and its error"]
            claims[f"{name}: suggested labels are worth no less than random ones"] = gain > -2 * error
        claims["on average they are worth a point more"] = mean["suggested"] >= 1
        halves = max(mean["unsure"], mean["different"])
        claims["and more than those of either half of the method"] = mean["suggested"] > halves
    if mean := figures.get("mean gain, hybrid"):
        claims["φ + ψ: on average they are worth more"] = mean["suggested"] > 0
    finish("to_label", figures, claims, seeds=list(MODELS["probe"][1]))


if __name__ == "__main__":
    main()

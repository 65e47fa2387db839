"""5 and 8 labels a class: the default recipe without rules, the frozen encoder with logistic regression, and φ alone.

Claims: over all sets, the default is at least a point above the probe (h(x) of length 1, as the encoders were trained, C = 1), and nowhere
more than half a point below any of the probes or φ. Takes about an hour on two cores; ``--keep FOLDER`` keeps finished cells, so that a run
can go on; ``--sets``, ``--sizes`` and ``--seeds`` choose some.
"""

from __future__ import annotations

import argparse
import json
import random
import warnings
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from common import accuracy, finish, read
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.preprocessing import normalize

from rulenet import RuleNetClassifier
from rulenet.model.encoders.load import load_encoder
from rulenet.model.psi import LENGTH, Psi

SETS = {  # name: encoder, test rows
    "ag_news": ("minilm", 500),
    "trec": ("minilm", 500),
    "youtube_spam": ("minilm", 370),
    "imdb": ("minilm", 250),
    "goemotions": ("minilm", 500),
    "thucnews_titles": ("e5", 500),
    "waimai_10k": ("e5", 500),
    "chnsenticorp": ("e5", 300),
}
SIZES, SEEDS = (5, 8), (0, 1, 2)
Rows = tuple[list[str], list[str]]


def rows_of(name: str, split: str) -> Rows:
    """All rows of a split that have one label; of ChnSentiCorp's test rows those that are not in its training rows."""
    texts, labels = read(name, split)
    known = set(read(name, "train")[0]) if name == "chnsenticorp" and split == "test" else set()
    pairs = [(text, label) for text, label in zip(texts, labels, strict=True) if "|" not in label and text not in known]
    return [text for text, _ in pairs], [label for _, label in pairs]


def some_of_each(rows: Rows, k: int, seed: int) -> Rows:
    """k rows of each label, at random."""
    by_label: dict[str, list[str]] = defaultdict(list)
    for text, label in random.Random(seed).sample(list(zip(*rows, strict=True)), len(rows[0])):
        if len(by_label[label]) < k:
            by_label[label].append(text)
    return [text for texts in by_label.values() for text in texts], [
        label for label in by_label for _ in by_label[label]
    ]


def states(texts: list[str], encoder: str) -> Any:
    """The mean of the last hidden states of the encoder as it comes."""
    body = load_encoder(encoder, texts=texts, max_length=256, seed=0, long_texts="head_tail")
    body.traits = replace(body.traits, pooling="mean")
    return Psi(body, 2, bound=None, dropout=0.0).hidden(body.encode(texts), device="cpu")


def probes(h: Any, y: list[str], h_test: Any, y_test: list[str]) -> dict[str, float]:
    """Logistic regression over h(x), three ways."""
    unit, unit_test = normalize(h), normalize(h_test)
    folds = min(5, min(y.count(label) for label in set(y)))
    by_cv = LogisticRegressionCV(Cs=[0.1, 1, 10, 100], cv=folds, scoring="neg_log_loss", max_iter=1000)
    return {
        "probe": accuracy(LogisticRegression(max_iter=1000).fit(unit, y).predict(unit_test), y_test),
        "probe, mean as it comes": accuracy(LogisticRegression(max_iter=1000).fit(h, y).predict(h_test), y_test),
        "probe, C by CV": accuracy(by_cv.fit(unit, y).predict(unit_test), y_test),
    }


def cell(name: str, size: int, seed: int, rows: Rows, test: Rows, h_test: Any) -> dict[str, Any]:
    """All models on one sample."""
    encoder = SETS[name][0]
    texts, labels = some_of_each(rows, size, seed)
    clf = RuleNetClassifier(None, encoder, random_state=seed).fit(texts, labels)
    report, hybrid = clf.report_, clf.predictor_.hybrid
    classes = np.array([str(label) for label in clf.classes_])
    logits = phi = None
    if not report["best_epoch"]:  # the encoder is as it came, so that h(x) of the test texts is known
        import torch

        phi = hybrid.weights.logits(hybrid.features.transform(test[0]))
        h = torch.as_tensor(LENGTH * normalize(h_test), dtype=torch.float32)
        with torch.inference_mode():
            psi = hybrid.psi.head(h, torch.as_tensor(phi, dtype=torch.float32)).numpy()
        logits = hybrid.phi_scale * phi + hybrid.psi_scale * psi
    if logits is None or np.abs(hybrid.parts(test[0][:20]).logits - logits[:20]).max() > 0.05:
        parts = hybrid.parts(test[0])
        phi, logits = parts.phi, parts.logits
    found = {"default": accuracy(classes[logits.argmax(1)], test[1]), "phi": accuracy(classes[phi.argmax(1)], test[1])}
    found |= probes(states(texts, encoder), labels, h_test, test[1])
    return found | {"epochs": report["best_epoch"], "seconds": sum(report["seconds"].values())}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sets", nargs="*", default=list(SETS))
    parser.add_argument("--sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--no-report", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    cells: dict[str, Any] = {}
    for name in given.sets:
        rows = test = h_test = None
        for size, seed in [(size, seed) for seed in given.seeds for size in given.sizes]:
            key = f"{name} {size} {seed}"
            file = given.keep and given.keep / f"{key.replace(' ', '-')}.json"
            if file and file.exists():
                cells[key] = json.loads(file.read_text())
                continue
            if rows is None:
                rows, test = rows_of(name, "train"), rows_of(name, "test")
                chosen = random.Random(0).sample(range(len(test[0])), min(SETS[name][1], len(test[0])))
                test = [test[0][i] for i in chosen], [test[1][i] for i in chosen]
                kept = given.keep and given.keep / f"{name}.npy"
                h_test = np.load(kept) if kept and kept.exists() else states(test[0], SETS[name][0])
                if kept:
                    np.save(kept, h_test)
            cells[key] = cell(name, size, seed, rows, test, h_test)
            print(key, {what: round(value, 3) for what, value in cells[key].items()}, flush=True)
            if file:
                file.write_text(json.dumps(cells[key]))
    if not given.no_report:
        report(cells, given.seeds)


def report(cells: dict[str, Any], seeds: list[int]) -> None:
    """Means over seeds, and the claims."""
    groups: dict[str, list[dict[str, float]]] = defaultdict(list)
    for key, found in cells.items():
        groups[key.rsplit(" ", 1)[0]].append(found)
    figures = {
        key: {
            what: round(100 * float(np.mean([one[what] for one in found])), 1)
            for what in found[0]
            if what not in ("epochs", "seconds")
        }
        | {
            "epochs kept": [one["epochs"] for one in found],
            "seconds": round(float(np.mean([one["seconds"] for one in found])), 1),
        }
        for key, found in groups.items()
    }
    gains = {key: found["default"] - found["probe"] for key, found in figures.items()}
    figures["mean gain over the probe"] = round(float(np.mean(list(gains.values()))), 2)
    least = {
        key: max(v for what, v in found.items() if what.startswith(("probe", "phi")))
        for key, found in figures.items()
        if key in gains
    }
    claims = {
        "over all sets, the default is at least a point above the probe": figures["mean gain over the probe"] >= 1.0
    }
    claims |= {f"{key}: at least the probe": gain >= 0 for key, gain in gains.items()}
    claims["nowhere more than half a point below a probe or φ"] = all(
        figures[key]["default"] >= v - 0.5 for key, v in least.items()
    )
    finish("few", figures, claims, seeds=list(seeds))


if __name__ == "__main__":
    main()

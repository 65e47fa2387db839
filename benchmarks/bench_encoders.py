"""Claims, test rows, mean of the seeds: e5 with the rule pack on 2,000 AG News texts >= 91.0; on 2,000 THUCNews titles at least 3 points
above TF-IDF of characters + LogisticRegression; without rules on all of ChnSentiCorp >= 94.0 and of waimai_10k >= 91.0.

    python benchmarks/bench_encoders.py --runs FILE       hours on two cores; finished runs are kept in FILE and not run again
    python benchmarks/bench_encoders.py --sets waimai_10k --seeds 0 --runs FILE

Test rows of ChnSentiCorp that are in its training rows are left out.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from pathlib import Path
from typing import Any

from common import RULES, accuracy, finish, read, resumed, sample
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from rulenet import RuleNetClassifier

SEEDS = [0, 1, 2]
SETS = {  # rows to learn from (0: all), rule pack, accuracy to reach (None: three points above the reference)
    "ag_news": (2_000, "ag_news.yaml", 0.91),
    "thucnews_titles": (2_000, "thucnews.yaml", None),
    "waimai_10k": (0, None, 0.91),
    "chnsenticorp": (0, None, 0.94),
}
ABOVE = 0.03


def run(name: str, seed: int, device: str) -> dict[str, Any]:
    """Accuracies of the reference and of all parts of one model."""
    n, rules, _ = SETS[name]
    texts, labels = read(name, "train")
    texts, labels = sample(texts, labels, n or len(texts), seed)
    test_texts, test_labels = read(name, "test")
    known = set(texts)
    new = [i for i, text in enumerate(test_texts) if name != "chnsenticorp" or text not in known]
    test_texts, test_labels = [test_texts[i] for i in new], [test_labels[i] for i in new]
    options = {"ngram_range": (1, 2)} if name == "ag_news" else {"analyzer": "char", "ngram_range": (1, 3)}
    reference = make_pipeline(TfidfVectorizer(sublinear_tf=True, **options), LogisticRegression(C=10, max_iter=1000))
    found = {"set": name, "seed": seed, "rows": len(texts), "test_rows": len(test_texts)}
    found["tfidf_lr"] = accuracy(reference.fit(texts, labels).predict(test_texts), test_labels)
    started = time.perf_counter()
    clf = RuleNetClassifier(rules and RULES / rules, "e5", device=device, random_state=seed).fit(texts, labels)
    found["fit_s"] = round(time.perf_counter() - started)
    parts = clf.predictor_.hybrid.parts(test_texts)
    for part, logits in (("phi", parts.phi), ("psi", parts.psi), ("hybrid", parts.logits)):
        found[part] = accuracy(clf.classes_[logits.argmax(axis=1)], test_labels)
    return found


def main() -> None:
    """Run what is missing, and judge all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--runs", type=Path, help="a file that keeps finished runs; those it holds are not run again")
    options = parser.parse_args()
    cells = itertools.product(options.sets, options.seeds)
    rows = resumed(cells, ("set", "seed"), lambda name, seed: run(name, seed, options.device), options.runs)
    figures: dict[str, Any] = {"runs": rows}
    claims = {}
    for name in dict.fromkeys(row["set"] for row in rows):
        mean = {
            key: round(statistics.mean(row[key] for row in rows if row["set"] == name), 4)
            for key in ("tfidf_lr", "phi", "psi", "hybrid")
        }
        figures[name], bar = mean, SETS[name][2]
        if bar is None:
            claims[f"{name}: 3 points above TF-IDF of characters"] = mean["hybrid"] >= mean["tfidf_lr"] + ABOVE
        else:
            claims[f"{name} >= {100 * bar:.1f}"] = mean["hybrid"] >= bar
    finish("encoders", figures, claims, device=options.device, seeds=sorted({row["seed"] for row in rows}))


if __name__ == "__main__":
    main()

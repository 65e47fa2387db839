"""Rules teach: rules, texts without labels and few labels; test rows. Beside it the votes of the rules, and the default without rules.

Claims, means of the seeds: no labels, AG News with our pack > 90 (with 8 labels a class > 89), with nine published rules > 88, IMDB with
our pack > 88; published rules and 10 labels a class, YouTube comments > 95.3 and TREC > 80.3; no cell more than half a point below rules
alone or below the default without rules.

    python benchmarks/bench_teach.py --runs FILE       hours on two cores; finished runs are kept in FILE and not run again
    python benchmarks/bench_teach.py --sets trec --labels 0 10 --seeds 0 --runs FILE
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from bench_few import rows_of, some_of_each
from common import RULES, accuracy, finish, resumed
from convert_rules import convert

from rulenet import RuleNetClassifier, RuleSet
from rulenet.workbench.flips import starting_weights

SETS = {  # data, our rule pack or None for the published rules, encoder, texts without labels, test rows
    "ag_news, pack": ("ag_news", "ag_news.yaml", "minilm", 6_000, 2_000),
    "ag_news, 9 rules": ("ag_news", None, "minilm", 6_000, 2_000),
    "ag_news, 9 rules, e5": ("ag_news", None, "e5", 8_000, 2_000),
    "imdb, pack": ("imdb", "imdb.yaml", "minilm", 3_000, 1_000),
    "youtube_spam": ("youtube_spam", None, "minilm", 10**6, 370),
    "trec": ("trec", None, "minilm", 10**6, 500),
    "thucnews_titles, pack": ("thucnews_titles", "thucnews.yaml", "e5", 6_000, 2_000),
    "ag_news, pack, labels alone": ("ag_news", "ag_news.yaml", "minilm", 0, 2_000),
    "imdb, pack, labels alone": ("imdb", "imdb.yaml", "minilm", 0, 1_000),
    "youtube_spam, labels alone": ("youtube_spam", None, "minilm", 0, 370),
    "trec, labels alone": ("trec", None, "minilm", 0, 500),
}
BARS = {
    ("ag_news, pack", 0): 0.90,
    ("ag_news, 9 rules", 0): 0.88,
    ("ag_news, 9 rules, e5", 0): 0.88,
    ("ag_news, pack", 8): 0.89,
    ("imdb, pack", 0): 0.88,
    ("youtube_spam", 10): 0.953,
    ("trec", 10): 0.803,
}
SEEDS = [0, 1, 2]
LABELS = [0, 1, 2, 5, 10, 50, 200]


def published(data: str) -> str:
    """The rules that others wrote for a data set, as YAML."""
    file = Path(os.environ["RULENET_DATA"]) / data / "rules.json"
    return convert(json.loads(file.read_text(encoding="utf-8"))).yaml()


def run(name: str, k: int, seed: int) -> dict[str, Any]:
    """Accuracies of one sample."""
    data, pack, encoder, n, n_test = SETS[name]
    rows, test = rows_of(data, "train"), rows_of(data, "test")
    test = [list(part) for part in zip(*random.Random(0).sample(list(zip(*test, strict=True)), n_test), strict=True)]
    rules = RuleSet.load(RULES / pack) if pack else RuleSet.from_yaml(published(data))
    texts, labels = some_of_each(rows, k, seed) if k else ([], [])
    others = sorted(set(rows[0]) - set(texts))
    more = random.Random(seed).sample(others, min(n, len(others)))
    found: dict[str, Any] = {"set": name, "k": k, "seed": seed, "texts": len(more), "test_rows": n_test}
    started = time.perf_counter()
    clf = RuleNetClassifier(rules, encoder, random_state=seed)
    if k:
        clf.fit(texts, labels, unlabeled=more)
    else:
        clf.fit(more)
    found["seconds"] = round(time.perf_counter() - started)
    parts, classes = clf.predictor_.hybrid.parts(test[0]), clf.classes_
    for part, logits in (("phi", parts.phi), ("psi", parts.psi), ("taught", parts.logits)):
        found[part] = accuracy(classes[logits.argmax(axis=1)], test[1])
    votes = np.asarray(rules.match(test[0]) @ starting_weights(rules))
    found["votes"] = accuracy(np.array(rules.labels)[votes.argmax(axis=1)], test[1])
    if k:
        plain = RuleNetClassifier(None, encoder, random_state=seed).fit(texts, labels)
        found["without rules"] = accuracy(plain.predict(test[0]), test[1])
    return found


def main() -> None:
    """Run what is missing, and judge all."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--labels", type=int, nargs="+", default=LABELS)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--runs", type=Path, help="a file that keeps finished runs; those it holds are not run again")
    parser.add_argument("--no-report", action="store_true")
    options = parser.parse_args()
    cells = itertools.product(options.sets, options.labels, options.seeds)
    cells = [cell for cell in cells if cell[1] or SETS[cell[0]][3]]  # nothing to learn from
    rows = resumed(cells, ("set", "k", "seed"), run, options.runs)
    if options.no_report:
        return
    figures: dict[str, Any] = {"runs": rows}
    claims = {}
    for name, k in sorted({(row["set"], row["k"]) for row in rows}):
        own = [row for row in rows if (row["set"], row["k"]) == (name, k)]
        keys = [key for key in ("votes", "without rules", "phi", "psi", "taught") if key in own[0]]
        mean = {key: round(100 * float(np.mean([row[key] for row in own])), 2) for key in keys}
        figures[f"{name}, {k}"] = mean | {"seeds": len(own)}
        if bar := BARS.get((name, k)):
            claims[f"{name}, {k} labels a class > {100 * bar:.1f}"] = mean["taught"] > 100 * bar
        least = max(mean["votes"], mean.get("without rules", 0.0))
        claims[f"{name}, {k} labels a class: above rules alone and above no rules"] = mean["taught"] >= least - 0.5
    finish("teach", figures, claims, seeds=sorted({row["seed"] for row in rows}))


if __name__ == "__main__":
    main()

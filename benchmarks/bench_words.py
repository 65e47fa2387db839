"""Claim: word vectors shape φ's prior. φ alone, without rules, at 40, 200 and 1,000 labels: AG News >= 77, 84 and 86.5, THUCNews titles >=
35, 63 and 75, IMDB >= 68, 76 and 83; at no size up to all rows more than 0.2 points below φ without word vectors; and 1,000 AG News labels
> 87.2 at >= 0.8 of the prediction speed of TF-IDF + LogisticRegression.

Beside it in the same run: φ without word vectors, TF-IDF + LogisticRegression, and φ with word vectors whose vocabulary has the words of
2,000 unlabelled training texts too. Means of three seeds; each draws its labelled texts from the training rows.

    python benchmarks/bench_words.py                 all, each part in a process of its own; parts that are done are in --cache
    python benchmarks/bench_words.py ag_news 200 0   one part
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from common import accuracy, finish, read, sample

ENCODERS = {"ag_news": "minilm", "thucnews_titles": "e5", "imdb": "minilm"}
BARS = {
    "ag_news": {40: 77.0, 200: 84.0, 1000: 86.5},
    "thucnews_titles": {40: 35.0, 200: 63.0, 1000: 75.0},
    "imdb": {40: 68.0, 200: 76.0, 1000: 83.0},
}
SIZES = (40, 200, 1000, 3000, 10000)
SEEDS = (0, 1, 2)
UNLABELLED = 2000
WORSE = 0.2
FAST, FASTER_THAN = 87.2, 0.8
TEST_ROWS = 5000


def part(name: str, n: int, seed: int) -> dict[str, Any]:
    """Accuracies in per cent of all sides on the same rows, what was settled, and seconds."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from rulenet import Recipe, RuleNetClassifier

    texts, labels = read(name, "train")
    texts, labels = sample(texts, labels, min(len(texts), n + UNLABELLED), seed)
    more, texts, labels = texts[n:], texts[:n], labels[:n]
    test_texts, test_labels = read(name, "test")
    test_texts, test_labels = sample(test_texts, test_labels, min(TEST_ROWS, len(test_texts)), 0)
    vectors = Recipe.of(word_vectors=ENCODERS[name])
    sides: dict[str, Any] = {
        "words": RuleNetClassifier(None, None, recipe=vectors, random_state=seed),
        "plain": RuleNetClassifier(None, None, recipe=Recipe.of(word_vectors=None), random_state=seed),
        "with_unlabelled": RuleNetClassifier(None, None, recipe=vectors, random_state=seed),
    }
    options = {"analyzer": "char", "ngram_range": (1, 3)} if name == "thucnews_titles" else {"ngram_range": (1, 2)}
    sides["tfidf_lr"] = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, **options), LogisticRegression(C=10, max_iter=1000)
    )
    found: dict[str, Any] = {}
    for side, clf in sides.items():
        if side == "with_unlabelled" and n > 1000:
            continue
        began = time.perf_counter()
        clf.fit(texts, labels, **({"unlabeled": more} if side == "with_unlabelled" else {}))
        fitted = time.perf_counter()
        clf.predict(test_texts[:100])
        began_again = time.perf_counter()
        answers = clf.predict(test_texts)
        found[side] = {
            "accuracy": round(100 * accuracy(answers, test_labels), 2), "fit_s": round(fitted - began, 2),
            "predict_s": round(time.perf_counter() - began_again, 2),
            **({"settled": clf.report_["settled"]} if hasattr(clf, "report_") else {}),
        }  # fmt: skip
    return found


def in_a_process(name: str, n: int, seed: int, cache: Path | None) -> dict[str, Any]:
    """The same in a fresh process, or from the cache."""
    file = cache and cache / f"{name}-{n}-{seed}.json"
    if file is not None and file.is_file():
        return json.loads(file.read_text())
    done = subprocess.run(
        [sys.executable, __file__, name, str(n), str(seed)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.stderr)
    print(name, n, seed, done.stdout.splitlines()[-1], file=sys.stderr, flush=True)
    if file is not None:
        file.write_text(done.stdout.splitlines()[-1])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure every set at every size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help="data set, labels, seed")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="largest number of labels")
    parser.add_argument("--cache", type=Path, help="folder of parts that are done")
    given = parser.parse_args()
    if given.part:
        print(json.dumps(part(given.part[0], int(given.part[1]), int(given.part[2]))))
        return
    figures: dict[str, Any] = {}
    claims: dict[str, bool] = {}
    for name, bars in BARS.items():
        for n in (size for size in SIZES if size <= given.most):
            parts = [in_a_process(name, n, seed, given.cache) for seed in SEEDS]
            means = {side: round(statistics.mean(p[side]["accuracy"] for p in parts), 2) for side in parts[0]}
            figures[f"{name} {n}"] = {**means, "parts": parts}
            if n in bars:
                claims[f"{name}, {n} labels: {means['words']} >= {bars[n]}"] = means["words"] >= bars[n]
            claims[f"{name}, {n} labels: at most {WORSE} below φ without word vectors"] = (
                means["words"] >= means["plain"] - WORSE
            )
    news = figures["ag_news 1000"]
    speed = statistics.mean(p["tfidf_lr"]["predict_s"] / p["words"]["predict_s"] for p in news["parts"])
    claims[f"ag_news, 1000 labels: {news['words']} > {FAST}"] = news["words"] > FAST
    claims[f"ag_news: {speed:.2f} >= {FASTER_THAN} of TF-IDF's prediction speed"] = speed >= FASTER_THAN
    finish("words", figures, claims, seeds=list(SEEDS))


if __name__ == "__main__":
    main()

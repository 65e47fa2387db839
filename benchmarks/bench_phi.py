"""Claim: φ alone on every provided training row takes <= 120 s end to end (read, fit, predict the test rows) and <= 3 GB on two
cores, and is at least as accurate on the test rows as scikit-learn's TF-IDF(1,2) + LogisticRegression fitted in the same run.

    python benchmarks/bench_phi.py              both data sets, one fresh process each
    python benchmarks/bench_phi.py imdb         one of them, in this process
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

from common import RULES, accuracy, finish, read

LIMIT_S = 120
LIMIT_GB = 3.0
JOBS = 2


def measure(name: str) -> dict[str, float]:
    """Measure φ first, so that its peak memory is not that of the baseline; then the baseline."""
    from rulenet import RuleNetClassifier

    started = time.perf_counter()
    texts, labels = read(name, "train")
    test_texts, test_labels = read(name, "test")
    clf = RuleNetClassifier(RULES / f"{name}.yaml", encoder=None, n_jobs=JOBS, random_state=0).fit(texts, labels)
    fitted = time.perf_counter()
    score = accuracy(clf.predict(test_texts), test_labels)
    seconds = time.perf_counter() - started
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    # The kernel tells the largest child only; counting it once per worker is an upper bound.
    workers = JOBS * largest_child()

    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    began = time.perf_counter()
    vectorizer = TfidfVectorizer(ngram_range=(1, 2))
    baseline = LogisticRegression(max_iter=1000).fit(vectorizer.fit_transform(texts), labels)
    baseline_score = accuracy(baseline.predict(vectorizer.transform(test_texts)), test_labels)
    return {
        "train_rows": len(texts), "test_rows": len(test_texts), "rules": clf.report_["n_rules"], "terms": clf.report_["n_terms"],
        "phi_accuracy": round(score, 4), "sklearn_accuracy": round(baseline_score, 4),
        "phi_seconds": round(seconds, 1), "phi_fit_seconds": round(fitted - started, 1),
        "phi_stages": {k: round(v, 1) for k, v in clf.report_["seconds"].items()},
        "sklearn_seconds": round(time.perf_counter() - began, 1), "peak_gb": round(own + workers, 2),
    }  # fmt: skip


def largest_child() -> float:
    """Return the peak memory of the largest worker process, in GB."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


def main() -> None:
    """Measure each data set in a process of its own."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(sys.argv[1])))
        return
    figures, claims = {}, {}
    for name in ("ag_news", "imdb"):
        done = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        got = figures[name] = json.loads(done.stdout.splitlines()[-1])
        claims[f"{name}: end to end <= {LIMIT_S} s"] = got["phi_seconds"] <= LIMIT_S
        claims[f"{name}: <= {LIMIT_GB} GB"] = got["peak_gb"] <= LIMIT_GB
        claims[f"{name}: at least as accurate as TF-IDF(1,2) + LogisticRegression"] = (
            got["phi_accuracy"] >= got["sklearn_accuracy"]
        )
    finish("phi", figures, claims, seeds=[0])


if __name__ == "__main__":
    main()

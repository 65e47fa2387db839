"""Claim: compiling, matching, fitting φ, `rulenet rules lint` cold and `rulenet demo` are at most 5 % slower than at an earlier commit.

Both versions run in turn, A B A B, each time in a fresh process, and the median of the ratios of their processor times counts: speeds
measured at different moments of a shared machine cannot be compared.

    python benchmarks/bench_before.py cc6ffcf
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import HERE, RULES, finish, git, read, sample

ALLOWED = 1.05
RUNS = {"compile": 7, "match": 7, "phi": 5, "lint": 15, "demo": 2}


def rules_text(texts: list[str], n_words: int, n_regexes: int) -> str:
    """A rule file with rules for words of the texts and for regexes made of them."""
    words = sorted({word for text in texts for word in text.lower().split() if word.isalpha()})
    random.Random(0).shuffle(words)
    lines = [f"  - {{id: w{i}, label: x, word: {word!r}}}" for i, word in enumerate(words[:n_words])]
    pairs = zip(words[:n_regexes], reversed(words[:n_regexes]), strict=True)
    lines += [f"  - {{id: r{i}, label: y, regex: '\\b{a} ?{b}s?\\b'}}" for i, (a, b) in enumerate(pairs)]
    return "rulenet: 1\nlanguage: en\nlabels: [x, y]\nrules:\n" + "\n".join(lines) + "\n"


def work(name: str) -> Callable[[], object]:
    """What is timed, everything it needs being ready."""
    from rulenet import RuleNetClassifier, RuleSet

    texts, labels = read("ag_news", "train")
    if name == "compile":
        text = rules_text(texts, 20_000, 2_000)
        return lambda: RuleSet.from_yaml(text).match(["one text"])
    if name == "match":
        ruleset = RuleSet.from_yaml(rules_text(texts, 2_000, 100))
        ruleset.match(["one text"])
        chosen = sample(texts, labels, 20_000, 0)[0]
        return lambda: ruleset.match(chosen)
    rows = sample(texts, labels, 5_000, 0)
    return lambda: RuleNetClassifier(RULES / "ag_news.yaml", encoder=None, random_state=0).fit(*rows)


def child(name: str) -> None:
    """Print the processor time of one piece of work."""
    run = work(name)
    started = time.process_time()
    run()
    print(time.process_time() - started)


def timed(name: str, tree: Path) -> float:
    """Seconds of processor time with one version of the package."""
    # The cache of checked rule files, which is gone, would make the old version look faster than its code is.
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "2", "RULENET_CACHE": "off"}
    if name in ("compile", "match", "phi"):
        command = [sys.executable, __file__, "--child", name]
        return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    words = ["rules", "lint", str(RULES / "ag_news.yaml")] if name == "lint" else ["demo", "--report", "report.html"]
    with tempfile.TemporaryDirectory() as folder:
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "rulenet", *words], env=environment, cwd=folder, capture_output=True, check=True
        )
        after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Compare the present tree with a commit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", nargs="?", default="cc6ffcf")
    parser.add_argument("--only", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child)
        return
    figures: dict[str, object] = {"before": arguments.commit}
    claims = {}
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder) / "old"
        git("worktree", "add", "--detach", str(old), arguments.commit)
        try:
            for name in arguments.only:
                pairs = [(timed(name, old), timed(name, HERE.parent)) for _ in range(RUNS[name])]
                ratio = statistics.median(now / before for before, now in pairs)
                figures[name] = {
                    "seconds_before": round(statistics.median(before for before, _ in pairs), 3),
                    "seconds_now": round(statistics.median(now for _, now in pairs), 3),
                    "ratio": round(ratio, 3),
                }
                claims[f"{name}: at most {ALLOWED - 1:.0%} slower than at {arguments.commit}"] = ratio <= ALLOWED
        finally:
            git("worktree", "remove", "--force", str(old))
    finish("before", figures, claims)


if __name__ == "__main__":
    main()

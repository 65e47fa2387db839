"""Writes the table of the README from the JSON results. Run it after a benchmark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAMES = {"phi": "φ", "psi": "ψ", "psi_full": "ψ, all layers trained", "hybrid": "**φ + ψ**"}
BEGIN, END = "<!-- made by benchmarks/report.py; do not edit -->", "<!-- end -->"


def lines(results: dict[str, Any]) -> list[str]:
    """One row per claim that has been measured."""
    rows = ["| what | measured | script |", "|---|---|---|"]

    def row(name: str, what: str, figure: str) -> None:
        rows.append(f"| {what} | {figure} | `bench_{name}.py` |")

    if "hybrid" in results:
        f = results["hybrid"]["figures"]
        mean = " · ".join(f"{label} {f['mean'][key]:.2%}" for key, label in NAMES.items() if key in f["mean"])
        rows_read = f"{f['train_rows']:,} training texts, {f['test_rows']:,} test texts"
        row("hybrid", f"AG News, {rows_read}, mean of {len(f['runs'])} seeds", mean)
    for name, f in results.get("phi", {}).get("figures", {}).items():
        what = f"{name}, φ alone on all {f['train_rows']:,} provided rows"
        accuracies = f"φ {f['phi_accuracy']:.1%}, TF-IDF + LogisticRegression {f['sklearn_accuracy']:.1%}"
        row("phi", what, f"{accuracies}; {f['phi_seconds']:.0f} s end to end, {f['peak_gb']:.1f} GB")
    if "match" in results:
        f = results["match"]["figures"]
        speed = f"{f['texts_per_s_2000']:,} texts/s, {f['ratio_to_re_loop']}× a loop of `re`"
        figure = f"{speed}; 20,000 rules cost {f['cost_growth_2000_to_20000']}×"
        row("match", "matching 2,000 word rules on one core, AG News", figure)
    for name, f in results.get("explain", {}).get("figures", {}).items():
        what = f"{name}: bias + Σ terms + neural = logit, {f['texts']:,} texts"
        row(
            "explain",
            what,
            f"largest gap {f['worst_gap']:.0e}; {f['spans']:,} spans, {f['terms_with_wrong_spans']} terms wrong",
        )
    if "startup" in results:
        row(
            "startup",
            "`rulenet rules lint rules/ag_news.yaml`, cold",
            f"{results['startup']['figures']['lint_median_s']:.2f} s",
        )
    return rows


def main() -> None:
    """Replace the table."""
    results = {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((HERE / "results").glob("*.json"))
    }
    readme = HERE.parent / "README.md"
    text = readme.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END, 1)[1]
    readme.write_text("\n".join([head + BEGIN, "", *lines(results), "", END + tail]), encoding="utf-8")


if __name__ == "__main__":
    main()

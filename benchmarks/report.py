"""Writes the tables of README.md (five results) and REPORT.md (all of them) from the JSON results. Run it after a benchmark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAMES = {"phi": "φ", "psi": "ψ", "psi_full": "ψ, all layers trained", "hybrid": "**φ + ψ**"}
SPEEDS = {
    "pipeline": "the same ψ in Hugging Face's pipeline",
    "pytorch": "rulenet, PyTorch",
    "onnx int8": "8 bits",
    "onnx int8, certified cascade": "8 bits, certified cascade",
    "onnx int8, statistical cascade": "8 bits, statistical cascade (0.5 %)",
}
DATA = {
    "ag_news": "AG News",
    "imdb": "IMDB",
    "imdb_ngrams": "IMDB, n-grams",
    "thucnews_titles": "THUCNews titles",
    "trec": "TREC questions",
    "waimai_10k": "Meal reviews",
    "chnsenticorp": "ChnSentiCorp",
    "youtube_spam": "YouTube comments",
}
BEGIN, END = "<!-- made by benchmarks/report.py; do not edit -->", "<!-- end -->"


def short_table(results: dict[str, Any]) -> list[str]:
    """Five results that say what rulenet is good for."""
    mean = results["hybrid"]["figures"]["mean"]
    speed = results["throughput"]["figures"]
    fast = "onnx int8, certified cascade"
    explained = results["explain"]["figures"]["ag_news"]
    match, edit = results["match"]["figures"], results["hotedit"]["figures"]
    accuracy = f"φ {mean['phi']:.1%}, ψ {mean['psi']:.1%}, **φ + ψ {mean['hybrid']:.1%}**"
    rows = {
        f"Accuracy, AG News, {results['hybrid']['figures']['train_rows']:,} training texts, 3 seeds": accuracy,
        "Speed on two CPU cores, 8 bits, certified cascade": f"{speed['texts_per_second'][fast]:,.0f} texts/s, "
        f"{speed['times_pipeline'][fast]:.0f}× Hugging Face's pipeline, no answer changed",
        f"Terms of an explanation add up to the logit, {explained['texts']:,} texts": f"largest gap {explained['worst_gap']:.0e}",
        f"One of {edit['rules']:,} rules edited in a trained model": f"{edit['with_rules']['cpu_ms']:.0f} ms, no retraining",
        "Matching 2,000 word rules on one core": f"{match['texts_per_s_2000']:,} texts/s, {match['ratio_to_re_loop']}× a loop of `re`",
    }  # fmt: skip
    return ["| what | measured |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in rows.items())]


def long_table(results: dict[str, Any]) -> list[str]:
    """One row for each claim that has been measured."""
    rows = ["| what | measured | script |", "|---|---|---|"]

    def row(name: str, what: str, figure: str) -> None:
        rows.append(f"| {what} | {figure} | `bench_{name}.py` |")

    if "hybrid" in results:
        f = results["hybrid"]["figures"]
        mean = " · ".join(f"{label} {f['mean'][key]:.2%}" for key, label in NAMES.items() if key in f["mean"])
        rows_read = f"{f['train_rows']:,} training texts, {f['test_rows']:,} test texts"
        row("hybrid", f"AG News, {rows_read}, mean of {len(f['runs'])} seeds", mean)
    for name, f in results.get("joint", {}).get("figures", {}).get("sets", {}).items():
        gain = f"φ + ψ {f['fixed_accuracy']:.2%} against a fixed φ → **{f['joint_accuracy']:.2%}**"
        row(
            "joint",
            f"Last epoch joint, {DATA[name]}, 3 seeds",
            f"{gain} (± {f['error']:.2%}); kept in {f['joint_is_joint']:.0%} of the runs",
        )
    for cells in [*neural_rows(results), *teach_rows(results)]:
        row(*cells)
    phi = dict(results.get("phi", {}).get("figures", {}))
    chosen = phi.pop("choice", {})
    for name, f in phi.items():
        what = f"{DATA[name]}, φ alone on all {f['train_rows']:,} provided rows"
        accuracies = f"φ {f['phi_accuracy']:.1%}, TF-IDF + LogisticRegression {f['sklearn_accuracy']:.1%}"
        row("phi", what, f"{accuracies}; {f['phi_seconds']:.0f} s end to end, {f['peak_gb']:.1f} GB")
    for name, f in chosen.items():
        what = f"{name}, φ without rules on {f['train_rows']:,} rows, {f['labels']} labels"
        accuracies = f"φ {f['phi']:.1%}, LogisticRegression {f['logistic_regression']:.1%}, with C = 1 {f['logistic_regression_C1']:.1%}"
        row("phi", what, f"{accuracies}; choosing C takes {f['slower']:.1f} times as long")
    if "throughput" in results:
        f = results["throughput"]["figures"]
        for key, what in SPEEDS.items():
            speed = f"{f['texts_per_second'][key]:,.0f} texts/s, {f['times_pipeline'][key]:.1f}×, accuracy {f['accuracy'][key]:.1%}"
            row("throughput", f"AG News on two cores, {what}", speed)
    for name, result in results.items():
        if name.startswith("cascade_"):
            certified, statistical = (result["figures"][mode] for mode in ("certified", "statistical"))
            figure = f"certified skips ψ for {certified['skipped']:.0%}, changes {certified['changed']}; statistical "
            figure += f"{statistical['skipped']:.0%}, changes {statistical['changed_share']:.2%}"
            row("cascade", f"{DATA[name.removeprefix('cascade_')]}: the cascade on all test texts", figure)
    for name, f in results.get("calibration", {}).get("figures", {}).items():
        sets = ", ".join(f"{f[key]['coverage']:.1%}" for key in ("sets_0.9", "sets_0.95"))
        figure = f"calibration error {f['ece']:.1%}; label sets of 90 and 95 % cover {sets}"
        data, _, part = name.partition(", ")
        row("calibration", f"{DATA[data]}, {part}, {f['texts']:,} test texts", figure)
    if "tokens" in results:
        f = results["tokens"]["figures"]
        row(
            "tokens",
            "AG News, explanations with the words that moved ψ, two cores",
            f"{f['ag_news']['texts_per_s']:.1f} texts/s",
        )
        row(
            "tokens",
            "explanations of φ alone, every term with its place in the text",
            f"{f['phi_only']['texts_per_s']:,.0f} texts/s",
        )
    for cells in rule_rows(results):
        row(*cells)
    for name, f in results.get("explain", {}).get("figures", {}).items():
        what = f"{DATA[name]}: bias + Σ terms + neural = logit, {f['texts']:,} texts"
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
    if "store" in results:
        f = results["store"]["figures"]
        figure = f"{f['lost_models']} models lost; {f['reader']['loads']:,} loads meanwhile, {f['reader']['failures']} failures"
        row("store", f"{f['kills']} kills of a writer, {f['reader']['saves']} saves under a reader", figure)
    if "before" in results:
        f = dict(results["before"]["figures"])
        commit = f.pop("before")
        figure = ", ".join(f"{name} {value['ratio']:.2f}" for name, value in f.items())
        row("before", f"processor time as a share of that at {commit}", figure)
    failed = [
        (result["benchmark"], claim)
        for result in results.values()
        for claim, holds in result.get("claims", {}).items()
        if not holds
    ]
    rows += ["", *(f"- Claim that does not hold: `bench_{name}.py`: {claim}" for name, claim in failed)]
    return rows


def neural_rows(results: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Script, what and figure of everything that is about few labels, encoders and how training starts and ends."""
    rows = []
    for name, f in results.get("words", {}).get("figures", {}).items():
        data, _, n = name.rpartition(" ")
        figure = " → ".join(f"{f[side]:.1f}" for side in ("plain", "words", "with_unlabelled"))
        rows.append(
            (
                "words",
                f"{DATA[data]}, φ alone, {int(n):,} labels: plain, with word vectors, and 2,000 unlabelled texts",
                figure,
            )
        )
    for size, f in results.get("multilabel", {}).get("figures", {}).items():
        best = max(f["lr"]["macro"], f["lr_each"]["macro"])
        figure = f"φ alone {f['phi']['macro']:.1f} macro-F1, LogisticRegression {best:.1f} (at 0.5: {f['lr_at_half']['macro']:.1f})"
        rows.append(("multilabel", f"GoEmotions, several labels per text, {size}", figure))
    if "few" in results:
        f = results["few"]["figures"]
        what = "5 and 8 labels a class, eight sets, no rules: the default above the frozen encoder with logistic regression"
        rows.append(("few", what, f"{f['mean gain over the probe']:+.1f} points on average"))
    for name, f in results.get("contrast", {}).get("figures", {}).items():
        sides = ("frozen probe", "SetFit", "no contrastive steps", "default", "default, labels described")
        figure = " → ".join(f"{f[side]:.1f}" for side in sides)
        what = "8 labels a class, no rules: probe, SetFit, without contrastive steps, with, and with descriptions"
        rows.append(("contrast", f"{DATA[name]}, {what}", figure))
    if "to_label" in results:
        f = results["to_label"]["figures"]
        gains = ", ".join(f"{what} {gain:+.1f}" for what, gain in f["mean gain"].items())
        what = "20 to 100 labels chosen by `suggest-labels`, three sets, frozen encoder with logistic regression, against random labels"
        rows.append(("to_label", what, f"points on average: {gains}"))
    for name, f in results.get("joint", {}).get("figures", {}).get("sets", {}).items():
        figure = f"{100 * f['gain']:+.2f} ± {100 * f['error']:.2f} points"
        rows.append(("joint", f"{DATA[name]}: last epoch joint against a fixed φ, other training texts", figure))
    for name, f in results.get("encoders", {}).get("figures", {}).items():
        if name != "runs":
            figure = ", ".join(
                f"{label} {f[key]:.1%}"
                for key, label in {"tfidf_lr": "TF-IDF + LogisticRegression", **NAMES}.items()
                if key in f
            )
            rows.append(("encoders", f"{DATA[name]}, e5", figure))
    return rows


def teach_rows(results: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Script, what and figure of what rules teach."""
    rows = []
    for name, f in results.get("teach", {}).get("figures", {}).items():
        if name != "runs":
            data, _, k = name.rpartition(", ")
            sides = {"votes": "votes alone", "without rules": "default without rules", "taught": "φ + ψ"}
            figure = ", ".join(f"{label} {f[side]:.1f}" for side, label in sides.items() if side in f)
            labels = "no labels" if k == "0" else f"{k} labels a class"
            data, alone, _ = data.partition(", labels alone")
            rows.append(("teach", f"{data}, rules{'' if alone else ' and texts without labels'}, {labels}", figure))
    return rows


def rule_rows(results: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Script, what and figure of everything that is about matching rules."""
    rows = []
    if "match" in results:
        f = results["match"]["figures"]
        speed = f"{f['texts_per_s_2000']:,} texts/s, {f['ratio_to_re_loop']}× a loop of `re`"
        figure = f"{speed}; 20,000 rules cost {f['cost_growth_2000_to_20000']}×"
        rows.append(("match", "matching 2,000 word rules on one core, AG News", figure))
        figure = f"{f['mixed']['all']['texts_per_s']:,} texts/s"
        rows.append(("match", "the same with `near`, `count`, gaps and negation in one rule of ten", figure))
        times = f["spacy"]["times"]
        figure = f"{times['PhraseMatcher']}× `PhraseMatcher`, {times['Matcher']:.0f}× `Matcher`, from texts to hits"
        rows.append(("match", "2,000 words and phrases, spaCy's matchers in the same run", figure))
        c = f["compile"]
        figure = f"{c['read_and_check_s']} s + {c['compile_s']} s"
        what = f"reading and compiling {c['literals']:,} words and {c['regexes']:,} regexes"
        rows.append(("match", what, figure))
    if "stream" in results:
        f = results["stream"]["figures"]
        tenth, end = f["at"]["10%"], f["at"]["100%"]
        memory = f"memory {tenth['memory_mb']:,} MB at 10 %, {end['memory_mb']:,} MB at the end"
        what = f"{f['lines']:,} lines through `match_stream`, {f['processes']} processes"
        rows.append(("stream", what, f"{end['texts_per_s']:,} texts/s; {memory}"))
    if "stats" in results:
        f = results["stats"]["figures"]
        rows.append(
            ("stats", "`rules stats`, 2,000 rules × 120,000 texts, from the files to the page", f"{f['seconds']:.0f} s")
        )
    if "hotedit" in results:
        f = results["hotedit"]["figures"]
        first = f"first answer after it {f['first_prediction']['cpu_ms']:.0f} ms"
        what = f"`with_rules`, one of {f['rules']:,} rules changed"
        rows.append(("hotedit", what, f"{f['with_rules']['cpu_ms']:.0f} ms; {first}"))
    if "suggest" in results:
        g = results["suggest"]["figures"]["mean_gain"]
        figure = f"{100 * g['four_rules_rules_held_out']:+.1f} points from four rules, {100 * g['pack_rules_held_out']:+.1f} on the pack"
        rows.append(
            ("suggest", "30 suggested rules from 8,000 texts, accuracy of rules alone on other texts, 3 seeds", figure)
        )
    if "fuzz" in results:
        f = results["fuzz"]["figures"]
        rows.append(("fuzz", "mutated rule files", f"{f['files']:,}: only documented errors"))
    for name, f in results.get("published", {}).get("figures", {}).items():
        what = (
            f"{DATA[name]}: {f['rules']} published rules, coverage {f['coverage']:.0%} of {f['test_rows']:,} test texts"
        )
        vote, learned, words = f["vote"]["accuracy"], f["accuracy"]["phi_rules"], f["accuracy"]["phi_rules_tfidf"]
        rows.append(("published", what, f"vote {vote:.1%}, learned weights {learned:.1%}, with words too {words:.1%}"))
    return rows


def recipe_table(results: dict[str, Any]) -> list[str]:
    """Method × data set: what each recipe changes, in points of accuracy and of macro-F1, and times as long."""
    if "recipes" not in results:
        return []
    figures = results["recipes"]["figures"]
    sets = list(figures)
    names = [name.rpartition(", ") for name in sets]
    heads = [
        f"{DATA[data]}, {rows} labels, on {figures[name]['texts']}"
        for name, (data, _, rows) in zip(sets, names, strict=True)
    ]
    usual = [figures[name]["default"] for name in sets]
    rows = ["| recipe | " + " | ".join(heads) + " |", "|---" * (len(sets) + 1) + "|"]
    rows.append(
        "| `default` | " + " | ".join(f"{d['accuracy']:.1f}, macro-F1 {d['macro_f1']:.1f}" for d in usual) + " |"
    )

    def cell(found: dict[str, Any] | None) -> str:
        if found is None:
            return ""
        gain = f"**{found['says']}**" if found["says"] != "no difference" else found["says"]
        points = f"{found['gain']:+.1f} ± {found['standard_error']:.1f}, macro-F1 {found['macro_f1_gain']:+.1f}"
        return f"{gain}: {points}; {found['times_as_long']:.1f} times as long, {found['seeds']} seeds"

    for method in sorted({method for name in sets for method in figures[name]["methods"]}):
        cells = [cell(figures[name]["methods"].get(method)) for name in sets]
        rows.append(f"| `{method}` | " + " | ".join(cells) + " |")
    said = "Recipes against the default, same rows and seeds, by `bench_recipes.py`; a difference of two standard errors helps or costs:"
    return ["", said, "", *rows]


def read_results() -> dict[str, Any]:
    """The JSON documents of the benchmarks, by name."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((HERE / "results").glob("*.json"))
    }


def tables(results: dict[str, Any]) -> dict[Path, str]:
    """Each file, and the table that belongs between its markers."""
    found = {
        HERE.parent / "README.md": short_table(results),
        HERE / "REPORT.md": [*long_table(results), *recipe_table(results)],
    }
    return {path: "\n".join(lines) for path, lines in found.items()}


def between_markers(text: str) -> str:
    """The table that is in a file now."""
    return text.split(BEGIN)[1].split(END)[0].strip()


def main() -> None:
    """Replace both tables."""
    for path, table in tables(read_results()).items():
        text = path.read_text(encoding="utf-8")
        head, tail = text.split(BEGIN)[0], text.split(END, 1)[1]
        path.write_text(f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()

"""Results of the benchmarks → rulenet/training/experience.json, the table that `recipe="auto"` and a search ask.

Only what compares a recipe with the default on the same rows and seeds is taken. Needs the data, to say what they are like.

    python benchmarks/make_experience.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from bench_semi import SETS as SEMI_SETS
from common import HERE, read
from report import DATA

from rulenet.text.language import looks
from rulenet.training.experience import TABLE, Measured, Sketch, recipe_of
from rulenet.training.objectives.objective import Need

SEMI = {  # methods of bench_semi.py as fields of a recipe; with texts without labels, the default is given these too
    "masked LM first": "objectives=[MaskedLM(mask_epochs=1), Supervised]",
    "SimCSE first": "objectives=[SimCSE(simcse_epochs=1), Supervised]",
    "denoising first": "objectives=[Denoising(denoise_epochs=1), Supervised]",
    "pseudo-labels, rounds alone": "objectives=[Supervised, PseudoLabels];epochs=0",
    "pseudo-labels": "objectives=[Supervised, PseudoLabels];alpha=0.5",
    "consistency": "objectives=[Supervised, Consistency];alpha=0.5",
}


def figures_of(name: str) -> dict[str, Any]:
    """The figures of a benchmark."""
    found: dict[str, Any] = json.loads((HERE / "results" / f"{name}.json").read_text(encoding="utf-8"))["figures"]
    return found


def sketch(name: str, rows: int | None = None, per_label: int = 0, *, unlabeled: bool = False) -> Sketch:
    """What so many rows of a data set are like, read by MiniLM."""
    texts, labels = read(name, "train")
    length, n_labels = float(np.median([len(text) for text in texts])), len(set(labels))
    language = "zh" if looks(texts[:200]) == "Chinese" else "en"
    return Sketch(
        rows or per_label * n_labels, n_labels, length, language=language, encoder="minilm", unlabeled=unlabeled
    )


def of_recipes() -> Iterator[Measured]:
    """Recipes with a name, and single switches."""
    for key, figures in figures_of("recipes").items():
        name, rows = key.split(", ")
        for method, found in figures["methods"].items():
            # These had 2,000 texts without labels besides, which the default had not.
            wants = any(Need.UNLABELLED in objective.needs for objective in recipe_of(method).objectives)
            data = sketch(name, int(rows), unlabeled=wants)
            gain = found["gain"], found["standard_error"], found["seeds"]
            yield Measured(data, f"{DATA[name]}, {rows} texts", method, *gain, found["times_as_long"], "recipes")


def of_contrast() -> Iterator[Measured]:
    """Contrastive steps, which the default makes with 8 labels a class, against none."""
    for name, found in figures_of("contrast").items():
        gains = np.subtract(found["no contrastive steps, of each sample"], found["default, of each sample"])
        error, seconds = gains.std(ddof=1) / len(gains) ** 0.5, found["seconds, no contrastive steps"]
        yield Measured(
            sketch(name, per_label=8), f"{DATA[name]}, 8 texts a label", "contrast_steps=0", round(float(gains.mean()), 2),
            round(float(error), 2), len(gains), round(seconds / found["seconds, default"], 2), "contrast",
        )  # fmt: skip


def of_semi() -> Iterator[Measured]:
    """Objectives without labels against the default with the same texts; the standard error is that of samples not paired, a bound."""
    runs = figures_of("semi")["runs"]
    for name, k in sorted({(run["set"], run["k"]) for run in runs}):
        own = {(run["method"], run["seed"]): run for run in runs if (run["set"], run["k"]) == (name, k)}
        for method, fields in SEMI.items():
            pairs = [(run, own["default, texts given", seed]) for (m, seed), run in own.items() if m == method]
            if not pairs:
                continue
            right = np.array([[run["hybrid"], base["hybrid"]] for run, base in pairs]).T  # (2, S)
            error = 100 * float((right * (1 - right)).sum() / SEMI_SETS[name][2]) ** 0.5 / len(pairs)
            slow = float(np.median([run["seconds"] / base["seconds"] for run, base in pairs]))
            yield Measured(
                sketch(name, k, unlabeled=True), f"{DATA[name]}, {k} texts", fields, round(100 * float((right[0] - right[1]).mean()), 2),
                round(error, 2), len(pairs), round(slow, 2), "semi",
            )  # fmt: skip


def main() -> None:
    """Write the table, one measurement a line."""
    rows = [json.dumps(asdict(one), ensure_ascii=False) for one in (*of_recipes(), *of_contrast(), *of_semi())]
    TABLE.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
    print(f"{len(rows)} measurements → {TABLE}")


if __name__ == "__main__":
    main()

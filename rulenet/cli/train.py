"""`rulenet train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rulenet.cli.console import AsJson, LabelColumn, Split, TextColumn, err, out, print_json


def train(
    data: Annotated[
        str, typer.Argument(help="csv, tsv, jsonl, parquet, a folder per class, or hub:NAME.", metavar="DATA")
    ],
    model: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the model to.")],
    rules: Annotated[Path | None, typer.Option("--rules", "-r", help="Rule file.")] = None,
    encoder: Annotated[str, typer.Option(help="minilm, scratch, a folder, a hub name, or none.")] = "minilm",
    language: Annotated[str, typer.Option(help="auto, en or zh.")] = "auto",
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training texts; default: by their number.", min=1)
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed.", min=0, max=2**32 - 1)] = 0,
    limit: Annotated[int | None, typer.Option(help="Use only so many rows, from the start of the file.", min=1)] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    jobs: Annotated[int | None, typer.Option(help="Processes that match rules; -1 for all cores.")] = None,
    split: Split = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    as_json: AsJson = False,
) -> None:
    """Train a model on labelled texts and save it.

    Example: `rulenet train reviews.csv --rules rules/imdb.yaml --out model/`
    """
    from rulenet.data import load
    from rulenet.estimator import RuleNetClassifier
    from rulenet.manifest import check_target
    from rulenet.training.recipe import Recipe

    check_target(model)
    dataset = load(data, text=text, label=label, split=split, limit=limit)
    clf = RuleNetClassifier(
        rules, None if encoder == "none" else encoder, language=language, recipe=Recipe(epochs=epochs), device=device, n_jobs=jobs,
        random_state=seed, verbose=0 if as_json else 1,
    )  # fmt: skip
    clf.fit(dataset.texts, dataset.labels)
    clf.save(model)
    report = clf.report_
    if as_json:
        print_json({"model": str(model), "classes": [str(label) for label in clf.classes_], "report": report})
        return
    show(report, clf.recipe_.max_length, model)


def show(report: dict[str, Any], max_length: int, model: Path) -> None:
    """Say what training came to."""
    if report["cut_texts"]:
        err.print(
            f"note: ψ reads the first {max_length} word pieces; {report['cut_texts']:.0%} of the texts are longer. "
            "φ reads them whole."
        )
    if report["held_out"]:
        table = Table(
            box=None,
            title=f"Accuracy on {report['held_out']['texts']:.0f} texts held out of training",
            title_justify="left",
        )
        for column in ("φ (rules, terms)", "ψ (transformer)", "f = φ + ψ"):
            table.add_column(column, justify="right")
        table.add_row(*(f"{report['held_out'][name]:.1%}" for name in ("phi", "psi", "hybrid")))
        out.print(table)
    seconds = sum(report["seconds"].values())
    out.print(
        f"{report['n_texts']:,} texts, {report['n_rules']} rules, {report['n_terms']:,} terms, {seconds:.0f} s → {model}/",
        soft_wrap=True,
        markup=False,
    )

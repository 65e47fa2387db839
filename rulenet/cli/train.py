"""`rulenet train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from rulenet.cli.console import AsJson, Jobs, LabelColumn, Split, TextColumn, err, out, print_json
from rulenet.errors import ParameterError

if TYPE_CHECKING:
    from rulenet.estimator import RuleNetClassifier

PATHS = {"hybrid": "φ + ψ", "rules": "φ alone"}


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
    cascade: Annotated[
        str, typer.Option(help="When to skip the transformer: off, certified (no answer changes) or statistical.")
    ] = "off",
    cascade_risk: Annotated[
        float, typer.Option(help="Share of answers that a statistical cascade may change, with 95 % confidence.")
    ] = 0.005,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run, kept in OUT.work.")] = False,
    figures: Annotated[
        Path | None, typer.Option(help="Folder for two figures: reliability, and accuracy by coverage.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    jobs: Jobs = None,
    split: Split = None,
    text: TextColumn = None,
    label: LabelColumn = None,
    as_json: AsJson = False,
) -> None:
    """Train a model on labelled texts and save it.

    Example: `rulenet train reviews.csv --rules rules/imdb.yaml --out model/`
    """
    from rulenet.base.extras import need
    from rulenet.base.progress import is_main_process
    from rulenet.data.load import load
    from rulenet.estimator import RuleNetClassifier
    from rulenet.store.manifest import check_target
    from rulenet.training.recipe import Recipe

    check_target(model)
    if figures is not None:
        need("matplotlib", purpose="--figures")
    dataset = load(data, text=text, label=label, split=split, limit=limit)
    work = None if encoder == "none" else Path(f"{model}.work")
    if resume and work is None:
        raise ParameterError("--resume goes on with a transformer; --encoder none trains in one go, so leave it out")
    clf = RuleNetClassifier(
        rules, None if work is None else encoder, language=language, recipe=Recipe.of(epochs=epochs), cascade=cascade,
        cascade_risk=cascade_risk, device=device, n_jobs=jobs, random_state=seed, work_dir=work, verbose=0 if as_json else 1,
    )  # fmt: skip
    clf.fit(dataset.texts, dataset.labels, resume=resume)
    if is_main_process():  # of those that torchrun has started; all have the same model now
        keep(clf, model, work, figures, as_json)


def keep(clf: RuleNetClassifier, model: Path, work: Path | None, figures: Path | None, as_json: bool) -> None:
    """Save the model, say what training came to, and drop the checkpoint unless there is something to go on with."""
    clf.save(model)
    report = clf.report_
    if work is not None and not report["interrupted"]:
        from rulenet.training.checkpoint import remove

        remove(work)
    if as_json:
        print_json({"model": str(model), "classes": [str(label) for label in clf.classes_], "report": report})
    else:
        show(report, clf.recipe_.reading.max_length, model)
    if figures is not None:
        from rulenet.draw.figures import write

        write(report["calibration"], figures)


def show(report: dict[str, Any], max_length: int, model: Path) -> None:
    """Say what training came to."""
    if report["cut_texts"]:
        err.print(
            f"note: ψ reads {max_length} word pieces of a text, from both ends; {report['cut_texts']:.0%} of the texts are longer. "
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
    for line in (*calibration_lines(report["calibration"]), *cascade_lines(report["cascade"])):
        out.print(line, soft_wrap=True, markup=False)
    seconds = sum(report["seconds"].values())
    out.print(
        f"{report['n_texts']:,} texts, {report['n_rules']} rules, {report['n_terms']:,} terms, {seconds:.0f} s → {model}/",
        soft_wrap=True,
        markup=False,
    )
    if report["interrupted"]:
        err.print("note: training was interrupted; the same command with --resume goes on where it stopped.")


def calibration_lines(calibration: dict[str, Any]) -> list[str]:
    """How far probabilities can be believed, as held-out texts have it."""
    if not calibration:
        return []
    temperatures = ", ".join(
        "{base:.2f} · (1 + lead)^{growth:.2f} ".format(**calibration["temperature"][path]) + f"({name})"
        for path, name in PATHS.items()
        if calibration["paths"][path]
    )
    return [
        f"probabilities: off by {calibration['ece']:.1%} on average (ECE, {calibration['texts']:,} held-out texts); "
        f"temperature {temperatures}"
    ]


def cascade_lines(cascade: dict[str, Any]) -> list[str]:
    """What skipping ψ saves and costs."""
    lines = []
    if cascade["mode"] != "off":
        share = "" if cascade["share_skipped"] is None else f"skips ψ for {cascade['share_skipped']:.0%} of the texts, "
        faster = "" if cascade["speed_up"] is None else f", expected to be {cascade['speed_up']:.1f} times as fast"
        cost = (
            f"changes at most {cascade['risk_bound']:.2%} of the answers (95 % confidence)"
            if cascade["risk_bound"]
            else "changes no answer"
        )
        lines.append(f"cascade: {cascade['mode']}, {share}{cost}{faster}")
    if cascade["note"]:
        lines.append(f"cascade: {cascade['note']}")
    return lines

"""`rulenet train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, Jobs, Seed, err, new_table, out, print_json, say
from rulenet.cli.reading import FIND_OUT, Reading, read_data, reads_data
from rulenet.errors import ParameterError

if TYPE_CHECKING:
    from rulenet.estimator import RuleNetClassifier

PATHS = {"hybrid": "φ + ψ", "rules": "φ alone"}


@reads_data
def train(
    data: Annotated[str, Argument(help="csv, tsv, jsonl, parquet, a folder per class, or hub:NAME.", metavar="DATA")],
    model: Annotated[Path, Option("--out", "-o", help="Folder for the model.")],
    rules: Annotated[Path | None, Option("--rules", "-r", help="Rule file.")] = None,
    encoder: Annotated[str, Option(help="minilm, scratch, a folder, a hub name, or none.")] = "minilm",
    language: Annotated[str, Option(help="auto, en or zh.")] = "auto",
    epochs: Annotated[int | None, Option(help="Passes over the texts; default: by their number.", min=1)] = None,
    seed: Seed = 0,
    limit: Annotated[
        int | None, Option(help="Use at most this many rows, taken at random, each label in proportion.", min=1)
    ] = None,
    cascade: Annotated[str, Option(help="When to skip the transformer: off, certified, statistical.")] = "off",
    cascade_risk: Annotated[float, Option(help="Share of predictions that statistical may change.")] = 0.005,
    resume: Annotated[bool, Option("--resume", help="Resume an interrupted run, which is kept in OUT.work.")] = False,
    figures: Annotated[Path | None, Option(help="Folder for figures of reliability and coverage.")] = None,
    device: Annotated[str, Option(help="auto, cpu or cuda.")] = "auto",
    jobs: Jobs = None,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Train a model on labelled texts and save it.

    Example: `rulenet train reviews.csv --rules rules/imdb.yaml --out model/`
    """
    from rulenet.base.extras import need
    from rulenet.base.progress import is_main_process
    from rulenet.estimator import RuleNetClassifier
    from rulenet.store.manifest import check_target
    from rulenet.training.recipe import Recipe

    check_target(model)
    if figures is not None:
        need("matplotlib", purpose="--figures")
    dataset = read_data(data, how, limit=limit, seed=seed)
    work = None if encoder == "none" else Path(f"{model}.work")
    if resume and work is None:
        raise ParameterError("--resume needs a transformer: with --encoder none there is nothing to resume")
    clf = RuleNetClassifier(
        rules, None if work is None else encoder, language=language, recipe=Recipe.of(epochs=epochs)
    )
    clf.set_params(cascade=cascade, cascade_risk=cascade_risk, device=device, n_jobs=jobs, random_state=seed)
    clf.set_params(work_dir=work, verbose=0 if as_json else 1)
    clf.fit(dataset.texts, dataset.labels, resume=resume)
    if is_main_process():  # all processes that torchrun started have the same model now
        keep(clf, model, work, figures, as_json)


def keep(clf: RuleNetClassifier, model: Path, work: Path | None, figures: Path | None, as_json: bool) -> None:
    """Save the model, report on training, and delete the checkpoint unless training can be resumed."""
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
    """Print a report on training."""
    if report["cut_texts"]:
        err.print(
            f"note: {report['cut_texts']:.0%} of the texts are longer than {max_length} word pieces: ψ reads only their beginning "
            "and end, φ reads them completely."
        )
    if held_out := report["held_out"]:
        title = f"Accuracy on {counted(int(held_out['texts']), 'text')} held out of training"
        table = new_table("φ (rules, terms)", "ψ (transformer)", "f = φ + ψ", left=0, title=title)
        table.add_row(*(f"{held_out[name]:.1%}" for name in ("phi", "psi", "hybrid")))
        out.print(table)
    for line in (*calibration_lines(report["calibration"]), *cascade_lines(report["cascade"])):
        say(line)
    counts = [counted(report[f"n_{what}s"], what) for what in ("text", "rule", "term")]
    say(f"{', '.join(counts)}, {sum(report['seconds'].values()):.0f} s → {model}/")
    if report["interrupted"]:
        err.print("note: training was interrupted; run the same command with --resume to continue where it stopped.")


def calibration_lines(calibration: dict[str, Any]) -> list[str]:
    """Describe how reliable the probabilities are on held-out texts."""
    if not calibration:
        return []
    temperatures = ", ".join(
        "{base:.2f} · (1 + lead)^{growth:.2f} ".format(**calibration["temperature"][path]) + f"({name})"
        for path, name in PATHS.items()
        if calibration["paths"][path]
    )
    return [
        f"probabilities: off by {calibration['ece']:.1%} on average (ECE, {counted(calibration['texts'], 'held-out text')}); "
        f"temperature {temperatures}"
    ]


def cascade_lines(cascade: dict[str, Any]) -> list[str]:
    """Describe what skipping ψ saves and costs."""
    lines = []
    if cascade["mode"] != "off":
        share = "" if cascade["share_skipped"] is None else f"skips ψ for {cascade['share_skipped']:.0%} of the texts, "
        faster = "" if cascade["speed_up"] is None else f", expected to be {cascade['speed_up']:.1f} times as fast"
        cost = "changes no prediction"
        if cascade["risk_bound"]:
            cost = f"changes at most {cascade['risk_bound']:.2%} of the predictions (95 % confidence)"
        lines.append(f"cascade: {cascade['mode']}, {share}{cost}{faster}")
    return [*lines, f"cascade: {cascade['note']}"] if cascade["note"] else lines

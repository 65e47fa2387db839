"""`rulenet train`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Context, Option

from rulenet.base.wording import counted
from rulenet.cli.again import command_again
from rulenet.cli.console import AsJson, Jobs, Seed, check_file, err, new_table, out, print_json, say, write_page
from rulenet.cli.reading import FIND_OUT, Reading, read_data, reads_data
from rulenet.errors import ParameterError

if TYPE_CHECKING:
    from rulenet.estimator import RuleNetClassifier
    from rulenet.training.recipe import Recipe

PATHS = {"hybrid": "φ + ψ", "rules": "φ alone"}

Data = Annotated[
    str | None, Argument(help="csv, tsv, jsonl, parquet, a folder per class, hub:NAME; or rules alone.", metavar="DATA")
]
Unlabeled = Annotated[
    str | None, Option("--unlabeled", help="Texts without labels; alone with rules, these label them.")
]
Limit = Annotated[
    int | None, Option(help="Use at most this many rows, taken at random, each label in proportion.", min=1)
]
Epochs = Annotated[
    int | None, Option(help="Passes over the texts; 0: ψ's head alone. Default: by their number.", min=0)
]
Fields = Annotated[
    list[str] | None,
    Option("--set", help="A field of the recipe, such as tune=LoRA(r=8); may be repeated.", metavar="FIELD=VALUE"),
]


@reads_data
def train(
    ctx: Context,
    model: Annotated[Path, Option("--out", "-o", help="Folder for the model.")],
    data: Data = None,
    rules: Annotated[Path | None, Option("--rules", "-r", help="Rule file.")] = None,
    unlabeled: Unlabeled = None,
    encoder: Annotated[str, Option(help="auto, minilm, e5, scratch, a folder, a hub name, or none.")] = "auto",
    language: Annotated[str, Option(help="auto, en or zh.")] = "auto",
    epochs: Epochs = None,
    seed: Seed = 0,
    limit: Limit = None,
    cascade: Annotated[str, Option(help="When to skip the transformer: off, certified, statistical.")] = "off",
    cascade_risk: Annotated[float, Option(help="Share of predictions that statistical may change.")] = 0.005,
    recipe: Annotated[str, Option(help="How to train: a name of `rulenet recipes`, or auto.")] = "default",
    fields: Fields = None,
    resume: Annotated[bool, Option("--resume", help="Resume an interrupted run, which is kept in OUT.work.")] = False,
    force: Annotated[bool, Option("--force", help="Replace a model or an unfinished run at OUT.")] = False,
    figures: Annotated[Path | None, Option(help="Folder for figures of reliability and coverage.")] = None,
    report: Annotated[Path | None, Option(help="Also write how training went to this file, as an HTML page.")] = None,
    device: Annotated[str, Option(help="auto, cpu or cuda.")] = "auto",
    jobs: Jobs = None,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Train a model on labelled texts, or on texts that rules alone label, and save it.

    Ctrl-C keeps what was learned so far in OUT.work, and says how to go on.

    Example: `rulenet train reviews.csv --rules rules/imdb.yaml --out model/`, or
    `rulenet train rules.yaml --unlabeled texts.csv --out model/`
    """
    data, rules = sources(data, rules, unlabeled)
    work = None if encoder == "none" else Path(f"{model}.work")
    if work is not None:
        from rulenet.model.encoders.load import check_encoder

        check_encoder(encoder)  # before anything slow, and that includes imports
    from rulenet.base.progress import is_main_process
    from rulenet.estimator import RuleNetClassifier
    from rulenet.training.job import remove
    from rulenet.training.parameters import check_parameters

    check_replaced(model, work, resume=resume, force=force)
    check_figures(figures, model)
    check_file(report, [rules, unlabeled, data], models=[model])
    how_to = chosen_recipe(recipe, fields or [], epochs)
    clf = RuleNetClassifier(rules, None if work is None else encoder, language=language, recipe=how_to)
    policy = {"cascade": cascade, "cascade_risk": cascade_risk, "device": device}
    clf.set_params(**policy, n_jobs=jobs, random_state=seed, work_dir=work, verbose=0 if as_json else 1)
    check_parameters(clf.get_params(deep=False), resume=resume)  # before data are read
    before = pointer(model)
    try:
        texts, labels, more = read(data, unlabeled, how, limit=limit, seed=seed)
        if work is not None and force and not resume:
            remove(work)
        clf.fit(texts, labels, unlabeled=more, resume=resume)
        if is_main_process():  # all processes that torchrun started have the same model now
            keep(clf, model, work, figures, report, as_json)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(interrupted(model, work, command_again(ctx, "--resume"), before)) from None


def check_replaced(model: Path, work: Path | None, *, resume: bool, force: bool) -> None:
    """Refuse to replace what is no model, or a model or the checkpoint of an unfinished run that nobody asked to replace."""
    from rulenet.store.manifest import check_target

    check_target(model)
    if resume and work is None:
        raise ParameterError("--resume needs a transformer: with --encoder none there is nothing to resume")
    if force:
        return
    if pointer(model) is not None:
        kept = f"with --force it is replaced and kept in its history: `rulenet history {model} --undo` leads back to it"
        raise ParameterError(f"{model} is a finished model; {kept}. Or name another folder with --out")
    from rulenet.training.job import has_checkpoint

    if work is not None and has_checkpoint(work) and not resume:
        kept = f"{work} keeps an unfinished run: --resume goes on with it, --force deletes it and begins again"
        raise ParameterError(f"{kept}. Or name another folder with --out")


def check_figures(figures: Path | None, model: Path) -> None:
    """Refuse a folder where no figures can be written, before anything slow."""
    if figures is None:
        return
    from rulenet.base.extras import need

    need("matplotlib", purpose="--figures")
    if figures.exists() and not figures.is_dir():
        raise ParameterError(f"--figures {figures} is a file: name a folder")
    if figures.resolve().is_relative_to(model.resolve()):
        raise ParameterError(f"--figures {figures}: the folder of a model has no other files. Name another folder")


def sources(data: str | None, rules: Path | None, unlabeled: str | None) -> tuple[str | None, Path | None]:
    """Labelled texts and rules, of which the first argument may be either."""
    if data is not None and data.lower().endswith((".yaml", ".yml")):
        if rules is not None:
            raise ParameterError(f"two rule files, {data} and {rules}: leave out one, or let one include the other")
        rules, data = Path(data), None
    if data is None and unlabeled is None:
        given = f"{rules} is a rule file" if rules is not None else "nothing to learn from"
        raise ParameterError(f"{given}: add labelled texts, DATA, or texts without labels, --unlabeled FILE")
    if data is None and rules is None:
        raise ParameterError(
            "--unlabeled alone says nothing of labels: add rules, --rules FILE, or labelled texts, DATA"
        )
    return data, rules


def read(
    data: str | None, unlabeled: str | None, how: Reading, *, limit: int | None, seed: int
) -> tuple[list[str], list[Any] | None, list[str] | None]:
    """Texts to learn from, their labels, and texts without labels; with rules alone, the latter are the former."""
    if data is None and how.several:
        raise ParameterError("--several says how labels are written, but there are none: add labelled texts, DATA")
    without = replace(how, several=False)  # whatever a label column has there, nobody reads it
    if data is None:
        return read_data(str(unlabeled), without, need_labels=False, limit=limit, seed=seed).texts, None, None
    found = read_data(data, how, limit=limit, seed=seed)
    without = replace(without, label=None, split=None)
    more = None if unlabeled is None else read_data(unlabeled, without, need_labels=False)
    return found.texts, found.labels, None if more is None else more.texts


def chosen_recipe(name: str, given: list[str], epochs: int | None) -> Recipe | str:
    """The recipe of this name, with fields changed; "auto" stays open."""
    from rulenet.training.recipes import AUTO, named
    from rulenet.training.settings import settings

    if "=" in name:
        raise ParameterError(f"--recipe takes a name of `rulenet recipes`; fields are changed by --set {name}")
    fields = {} if epochs is None else {"epochs": epochs}
    changes = fields | settings(given)
    return AUTO if name == AUTO and not changes else named(name).with_changes(**changes)


def pointer(model: Path) -> bytes | None:
    """The file that says which state a model is in; None without a model."""
    file = model / "config.json"
    return file.read_bytes() if file.is_file() else None


def interrupted(model: Path, work: Path | None, again: str, before: bytes | None) -> str:
    """What to say after Ctrl-C: what there is now, and how to go on."""
    from rulenet.training.job import has_checkpoint, remove

    if pointer(model) != before:
        return f"interrupted when the model was saved already: {model} is complete"
    state = f"interrupted: {model} is as it was" if before else "interrupted: no model was written"
    if work is not None and has_checkpoint(work):
        return f"{state}, and {work} keeps what was learned so far. To go on: {again}"
    if work is not None:
        remove(work)
    return f"{state}. It was too early to keep anything: the same command begins again"


def keep(
    clf: RuleNetClassifier, model: Path, work: Path | None, figures: Path | None, page: Path | None, as_json: bool
) -> None:
    """Save the model, report on training, and delete the checkpoint."""
    from rulenet.cli.history import kept_line
    from rulenet.draw.terminal import to_rich
    from rulenet.training.job import remove

    clf.save(model)
    if work is not None:
        remove(work)
    report = clf.report_
    if as_json:
        print_json({"model": str(model), "classes": [str(label) for label in clf.classes_], "report": report})
    else:
        if courses := clf.training_report().courses():
            out.print(to_rich(courses))
        show(report, clf.recipe_.reading.max_length, model)
        if line := kept_line(model):
            say(line)
    draw(clf, figures, page)


def draw(clf: RuleNetClassifier, figures: Path | None, report: Path | None) -> None:
    """Write what was asked for besides the model."""
    if figures is not None:
        from rulenet.draw.figures import write

        write(clf.report_["calibration"], figures)
    if report is not None:
        write_page(report, clf.training_report().to_page())


def show(report: dict[str, Any], max_length: int, model: Path) -> None:
    """Print a report on training."""
    if report["cut_texts"]:
        err.print(
            f"note: {report['cut_texts']:.0%} of the texts are longer than {max_length} word pieces: ψ reads only their beginning "
            "and end, φ reads them completely."
        )
    if report["auto"]:
        from rulenet.training.experience import sentence

        say(sentence(report["auto"]))
    if report["start"] and not report["best_epoch"]:
        epochs = f"{counted(report['epochs'], 'epoch')} made it no better" if report["epochs"] else "no epochs followed"
        few = "" if report["held_out"] else "; too few texts to say how often it is right"
        steps = report["settled"].get("contrast_steps")
        encoder = f"the encoder after {counted(steps, 'contrastive step')}" if steps else "the encoder as it came"
        say(f"ψ is its convex start: {encoder}, and the best linear head over it; {epochs}{few}")
    if report["overfitting"]:
        say(report["overfitting"])
    if share := report["trained_share"]:
        inner = f"{share['without_embeddings']:.1%} without its table of word pieces"
        say(f"trained: {share['encoder']:.1%} of the encoder's weights ({inner})")
    if report["teaching"]:
        say(f"of the labels guessed for texts without one, {report['teaching']['doubt']:.0%} are expected to be wrong")
        say(report["teaching"]["advice"])
    if held_out := report["held_out"]:
        what = "Exactly the right labels" if report["thresholds"] else "Accuracy"
        title = f"{what} on {counted(int(held_out['texts']), 'text')} held out of training"
        table = new_table("φ (rules, terms)", "ψ (transformer)", "f = φ + ψ", left=0, title=title)
        table.add_row(*(f"{held_out[name]:.1%}" for name in ("phi", "psi", "hybrid")))
        out.print(table)
    if (chosen := report["thresholds"]) and chosen["texts"]:
        each = f"{chosen['labels_per_text']:.2f} labels on average"
        say(f"a threshold for each label, by F1 on {counted(int(chosen['texts']), 'text')} with {each}")
    for line in (*calibration_lines(report["calibration"]), *cascade_lines(report["cascade"])):
        say(line)
    if report["settled"].get("precision") == "bfloat16":
        say("ψ: in bfloat16, as this machine has it; --set precision=float32 switches it off")
    n, unlabeled = report["n_texts"], report["n_unlabeled"]
    counts = [counted(n, "text")] if n or not unlabeled else []
    counts += [f"{counted(unlabeled, 'text')} without labels"] if unlabeled else []
    counts += [counted(report[f"n_{what}s"], what) for what in ("rule", "term")]
    say(f"{', '.join(counts)}, {sum(report['seconds'].values()):.0f} s → {model}/")


def calibration_lines(calibration: dict[str, Any]) -> list[str]:
    """Describe how reliable the probabilities are on held-out texts."""
    if not calibration:
        return []
    error = f"probabilities: off by {calibration['ece']:.1%} on average (ECE, {counted(calibration['texts'], 'held-out text')})"
    if "temperature" not in calibration:
        return [error]  # several labels per text have a slope and a shift each
    temperatures = ", ".join(
        "{base:.2f} · (1 + lead)^{growth:.2f} ".format(**calibration["temperature"][path]) + f"({name})"
        for path, name in PATHS.items()
        if calibration["paths"][path]
    )
    return [f"{error}; temperature {temperatures}"]


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

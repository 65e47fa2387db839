"""`rulenet distill`: a smaller model that answers as one or several saved models do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, Model, print_json, say
from rulenet.cli.reading import FIND_OUT, Reading, reads_data
from rulenet.cli.train import Fields, calibration_lines, check_replaced


@reads_data
def distill(
    model: Model,
    data: Annotated[str, Argument(help="Texts, best thousands; labels are used where there are any.", metavar="TEXTS")],
    output: Annotated[Path, Option("--output", "--out", "-o", help="Folder for the new model.")],
    into: Annotated[
        str, Option(help="phi: a linear model. Or an encoder: minilm, e5, scratch, a folder, a hub name.")
    ] = "phi",
    beside: Annotated[
        list[Path] | None, Option("--beside", help="One more teacher; may be repeated.", metavar="MODEL")
    ] = None,
    alpha: Annotated[
        float | None, Option(help="How much a label counts against the teachers, 0 to 1. Default: 0.5.")
    ] = None,
    temperature: Annotated[float, Option(help="Above 1, what teachers think of less likely labels counts more.")] = 1.0,
    fields: Fields = None,
    force: Annotated[bool, Option("--force", help="Replace a model at the output.")] = False,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Train a smaller model to answer as others do, on many texts that need no labels, and save it.

    It keeps the rules of MODEL, and is judged by texts that it did not learn from.

    Example: `rulenet distill model/ texts.csv --into phi --output fast/`
    """
    from rulenet.data.load import stream
    from rulenet.ensemble.distil import distill as distil
    from rulenet.ensemble.distil import student_recipe
    from rulenet.estimator import RuleNetClassifier
    from rulenet.training.settings import settings

    check_replaced(output, None, resume=False, force=force)
    changed = settings(fields or [])
    teachers = [RuleNetClassifier.load(folder) for folder in (model, *(beside or []))]
    teachers[0].set_params(verbose=0 if as_json else 1)
    rows = list(stream(data, how))
    labels = [row.label for row in rows] if any(row.label is not None for row in rows) else None
    student = distil(
        teachers, [row.text for row in rows], into, labels=labels, alpha=alpha, temperature=temperature,
        recipe=student_recipe(teachers[0]).with_changes(**changed),
    )  # fmt: skip
    student.save(output)
    about = student.report_["distillation"]
    if as_json:
        print_json({"model": str(output), "report": student.report_})
        return
    for line in lines(about):
        say(line)
    for line in calibration_lines(student.report_["calibration"]):
        say(line)
    say(f"{counted(about['texts'], 'text')}, {sum(student.report_['seconds'].values()):.0f} s → {output}/")


def lines(about: dict[str, Any]) -> list[str]:
    """What held-out texts say of a student.

    Examples
    --------
    >>> lines({"held_out": 40, "agreement": 0.95, "held_out_labels": 20, "accuracy": 0.88, "teacher_accuracy": 0.9})[1]
    '88.0% right on the 20 of them that have a label; the teacher 90.0% (of texts that it learned from, too many)'
    """
    found = [
        f"{about['agreement']:.1%} of the answers are the teacher's, on {counted(about['held_out'], 'text')} held out"
    ]
    if about["held_out_labels"]:
        known = f"the {about['held_out_labels']} of them that have a label"
        theirs = f"the teacher {about['teacher_accuracy']:.1%} (of texts that it learned from, too many)"
        found.append(f"{about['accuracy']:.1%} right on {known}; {theirs}")
    else:
        found.append("no label says how often it is right; its probabilities are as sure as the teacher's")
    return found

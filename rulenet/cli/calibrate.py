"""`rulenet calibrate`: how sure a saved model may be, and when it may skip ψ."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from rulenet.base.wording import counted
from rulenet.cli.console import AsJson, Model, print_json, say
from rulenet.cli.history import kept_line
from rulenet.cli.reading import FIND_OUT, Reading, read_for, reads_data
from rulenet.cli.train import calibration_lines, cascade_lines
from rulenet.errors import ParameterError


@reads_data
def calibrate(
    model: Model,
    data: Annotated[
        str | None, Option("--data", "-d", help="Texts, best with labels, that the model was not trained on.")
    ] = None,
    cascade: Annotated[
        str | None, Option(help="When to skip the transformer from now on: off, certified, statistical.")
    ] = None,
    cascade_risk: Annotated[float | None, Option(help="Share of predictions that statistical may change.")] = None,
    how: Reading = FIND_OUT,
    as_json: AsJson = False,
) -> None:
    """Fit the probabilities of a saved model to new texts, and choose when it skips the transformer. Nothing is retrained.

    Do this after the rules have changed. Labels are needed for probabilities, but not for a cascade.

    Example: `rulenet calibrate model/ --data new.csv`, or `rulenet calibrate model/ --cascade statistical`
    """
    from rulenet.estimator import RuleNetClassifier
    from rulenet.store.manifest import read_config
    from rulenet.store.write import save_calibration

    if data is None and cascade is None and cascade_risk is None:
        raise ParameterError("nothing to do: give --data FILE, --cascade, or both")
    seen = read_config(model)
    clf = RuleNetClassifier.load(model)
    old = clf.predictor_.policy
    predictor = clf.predictor_.with_policy(cascade or old.mode, old.risk if cascade_risk is None else cascade_risk)
    had_labels = old.calibration is not None
    n_texts = 0
    if data is not None:
        found = read_for(clf.predictor_, data, how)
        predictor, n_texts = predictor.calibrate(found.texts, found.labels), len(found.texts)
        if found.labels is None and had_labels:
            kept = "so probabilities, label sets and rejection would be lost"
            raise ParameterError(
                f"{data}: some or all labels are missing, {kept}: complete them, or name their column with --label"
            )
    report = {**clf.report_, **predictor.report()}
    save_calibration(model.resolve(), predictor.hybrid, predictor.policy, report=report, seen=seen)
    is_new = read_config(model) != seen
    if as_json:
        names = ("calibration", "cascade")
        print_json({"model": str(model.resolve()), "is_written": is_new, **{name: report[name] for name in names}})
        return
    for line in (*calibration_lines(report["calibration"]), *cascade_lines(report["cascade"])):
        say(line)
    if predictor.link != clf.predictor_.link:
        say(f"new thresholds of the labels, by F1 on {counted(n_texts, 'text')}")
    if predictor.policy.mode == "off" and old.mode != "off":
        say("cascade: off, every answer is that of φ + ψ")
    say(kept_line(model) if is_new else f"{model} is like this already; nothing was written")

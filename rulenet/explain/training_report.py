"""How training went, for people: stage by stage, with the course of every loss, and what each objective contributed.

All of it is in `report_` and the recipe; nothing is computed anew. Imports draw, recipe and report; no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from rulenet.base.drawing import Amount, Block, Cell, Curve, Fold, Heading, Headline, Percent, Plot, Points, Sheet
from rulenet.base.wording import counted
from rulenet.draw.html import page
from rulenet.draw.shown import Shown
from rulenet.training.alternation import told
from rulenet.training.objectives.objective import Objective, side
from rulenet.training.recipe import Recipe
from rulenet.training.recipes import changes
from rulenet.training.report import Report

WITH_PHI = " + φ"  # how the name of a stage ends in which φ learns too
NAMES = {"phi": "φ alone", "psi": "ψ alone", "hybrid": "φ + ψ"}


@dataclass(frozen=True)
class Stage:
    """Consecutive epochs in which the same was trained."""

    name: str
    epochs: int
    train_loss: tuple[float, float]  # in its first and its last epoch
    held_out_loss: float | None  # the lowest of its epochs
    accuracy: float | None  # the highest, on the held-out texts
    macro_f1: float | None
    learning_rate: float  # the highest at the end of an epoch
    is_kept: bool  # whether the model has the weights of one of its epochs


@dataclass(frozen=True)
class Contribution:
    """What an objective did in a stage."""

    objective: str
    stage: str
    weight: float  # in the sum, in the last epoch
    loss: tuple[float, float]  # without its weight, in the first and the last epoch
    share: float  # of the whole loss in the last epoch; negative losses count by their size


@dataclass(frozen=True)
class TrainingReport(Shown):
    """How training went.

    Attributes
    ----------
    n_texts, n_unlabeled, encoder
        What was learned from, and with what.
    held_out, start, calibration, seconds
        As in `report_`.
    findings
        What there is to know, in words: which weights are kept, overfitting, what ψ adds.
    stages, objectives
        Stage by stage, and objective by objective.
    curves
        Epoch by epoch, as in `report_`, each with the name of its stage.
    recipe
        The fields that are not as in the default recipe, as text.
    settled
        The fields that the data settled.
    """

    n_texts: int
    n_unlabeled: int
    encoder: str
    held_out: dict[str, float]
    start: dict[str, float]
    findings: list[str]
    stages: list[Stage]
    objectives: list[Contribution]
    curves: list[dict[str, Any]]
    calibration: dict[str, Any]
    recipe: dict[str, str]
    settled: dict[str, Any]
    seconds: dict[str, float]

    @classmethod
    def of(cls, report: Mapping[str, Any], recipe: Recipe) -> TrainingReport:
        """From `report_` of a fitted model, also of one that an earlier version saved, and its recipe."""
        known = {**asdict(Report()), **report}
        same = ("n_texts", "n_unlabeled", "encoder", "held_out", "start", "curves", "calibration", "settled", "seconds")
        given = {change.field: repr(change.value) for change in changes(recipe) if change.field not in known["settled"]}
        return cls(
            **{name: known[name] for name in same}, findings=findings(known), stages=_stages(known),
            objectives=_contributions(known["curves"], recipe), recipe=given,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that survives conversion to JSON and back."""
        return asdict(self)

    def to_page(self) -> str:
        """A self-contained HTML page."""
        return page("rulenet: training report", self.blocks())

    def blocks(self) -> list[Block]:
        """Return what was found, accuracies, curves, stages, objectives, calibration and the recipe."""
        texts = counted(self.n_texts, "labelled text")
        more = f" and {counted(self.n_unlabeled, 'text')} without labels" if self.n_unlabeled else ""
        found: list[Block] = [Headline(f"trained on {texts}{more}", note=self.encoder or "φ alone")]
        found.append(Points(self.findings))
        if self.held_out:
            found.append(_accuracies(self.held_out, self.start))
        if self.curves:
            found += [Heading("Stage by stage"), *self.courses(), _stage_sheet(self.stages)]
            found += [_objective_sheet(self.objectives), Fold("epoch by epoch", [_epoch_sheet(self.curves)])]
        if self.calibration.get("reliability"):
            found += [Heading("How true the probabilities are"), *_calibration(self.calibration)]
        found.append(Heading("How it was trained"))
        rows = [(name, value) for name, value in (self.recipe | {k: _said(v) for k, v in self.settled.items()}).items()]
        title = "the recipe, where it is not the default or was settled by the data"
        found.append(Sheet(title, ("field", "value"), rows))
        took: list[tuple[Cell, ...]] = [(name, Amount(f"{s:.1f} s", s)) for name, s in self.seconds.items()]
        return [*found, Sheet("time", ("step", "seconds"), took)]

    def courses(self) -> list[Block]:
        """The curves of each stage that has several epochs; φ learning too is part of the stage before."""
        found: list[Block] = []
        for name, points in groupby(self.curves, key=lambda point: str(point["stage"]).removesuffix(WITH_PHI)):
            epochs = list(points)
            if len(epochs) > 1:
                found += _plots(name, epochs)
        return found


def findings(report: Mapping[str, Any]) -> list[str]:
    """What there is to know of a training, in words; `report` has all fields of `Report`."""
    epochs, best, found = report["epochs"], report["best_epoch"], []
    if report["averaged"]:
        found.append("The average of the weights of the last steps is kept, the best on texts held out of training.")
    elif epochs and best:
        too = " φ learned too, and what it learned is kept." if report["joint"] else ""
        found.append(f"The weights of epoch {best} of {epochs} are kept, the best on texts held out of training.{too}")
    elif report["start"]:
        none = f"{counted(epochs, 'epoch')} made it no better" if epochs else "there were no epochs"
        found.append(f"ψ is its convex start, the best linear head over the encoder: {none}.")
    found += [told(number, line) for number, line in enumerate(report["stages"], start=1)]
    found += [report["overfitting"]] if report["overfitting"] else []
    if report["interrupted"]:
        found.append("Training was interrupted.")
    if held_out := report["held_out"]:
        p, n = held_out["hybrid"], int(held_out["texts"])
        spread = 2 * math.sqrt(max(p * (1 - p), 1 / n) / n)
        texts = counted(n, "held-out text")
        if report["encoder"]:
            adds = f"ψ changes the accuracy of φ by {100 * (p - held_out['phi']):+.1f} points on {texts}"
            found.append(f"{adds}; on so many texts an accuracy is right within about {100 * spread:.1f} points.")
        if report["encoder"] and not report["psi_scale"]:
            found.append("ψ is silent: φ alone was better on these texts.")
        if report["thresholds"]:
            found.append("Accuracy is the share of texts with exactly the right labels.")
    for one in report["unsupervised"]:
        reached = [f"{what} {a:.3g} → {b:.3g}" for what, a, b in _both(one["before"], one["after"])]
        if reached:
            judges = counted(one["judges"], "text")
            found.append(f"{one['objective']}, on {judges} that it did not learn from: {', '.join(reached)}.")
    for what, teachers in (("teaching", "rules taught"), ("self_taught", "φ and ψ gave to texts without one")):
        if report[what]:
            found.append(f"Of the labels that {teachers}, {report[what]['doubt']:.0%} are expected to be wrong.")
    if about := report["distillation"]:
        teachers = counted(about["teachers"], "teacher")
        same = f" and gives their answer to {about['agreement']:.1%} of other texts" if "agreement" in about else ""
        found.append(f"It learned from {teachers} on {counted(about['texts'], 'text')}{same}.")
    if (error := report["calibration"].get("ece")) is not None:
        found.append(f"Probabilities are off by {error:.1%} on average.")
    return found


def _both(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    return [(name, value, after[name]) for name, value in before.items() if isinstance(after.get(name), int | float)]


def _stages(report: Mapping[str, Any]) -> list[Stage]:
    # Epochs of the encoder's first objectives are not counted by `best_epoch`.
    main = report["curves"][len(report["curves"]) - report["epochs"] :]
    kept = main[report["best_epoch"] - 1] if 0 < report["best_epoch"] <= len(main) else None
    found = []
    for name, points in groupby(report["curves"], key=lambda point: str(point["stage"])):
        epochs = list(points)
        columns = {key: [e[key] for e in epochs if e[key] is not None] for key in epochs[0] if key != "terms"}
        found.append(
            Stage(
                name, len(epochs), (columns["train_loss"][0], columns["train_loss"][-1]),
                min(columns["held_out_loss"], default=None), max(columns["accuracy"], default=None),
                max(columns["macro_f1"], default=None), max(columns["learning_rate"]),
                any(e is kept for e in epochs),
            )
        )  # fmt: skip
    return found


def _contributions(curves: Sequence[Mapping[str, Any]], recipe: Recipe) -> list[Contribution]:
    """Objectives of the same class are told apart by their number, as in `Term.name`."""
    chosen: dict[str, Objective] = {}
    for one in recipe.objectives:
        kind = type(one).__name__
        n_before = sum(name.partition(" ")[0] == kind for name in chosen)
        chosen[f"{kind} {n_before + 1}" if n_before else kind] = one
    found = []
    for stage, points in groupby(curves, key=lambda point: str(point["stage"])):
        epochs = list(points)
        weights = {}
        for name in epochs[-1]["terms"]:
            objective = chosen.get(name)
            weights[name] = 1.0 if objective is None else objective.weight
            if objective is not None and len(epochs[-1]["terms"]) > 1:
                weights[name] *= side(recipe.alpha, is_supervised=objective.is_supervised, progress=1.0)
        whole = sum(abs(weights[name] * loss) for name, loss in epochs[-1]["terms"].items()) or 1.0
        for name, last in epochs[-1]["terms"].items():
            first = epochs[0]["terms"].get(name, last)
            found.append(Contribution(name, stage, weights[name], (first, last), abs(weights[name] * last) / whole))
    return found


def _plots(name: str, epochs: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The courses of one stage."""

    def curve(shown: str, key: str) -> Curve:
        return Curve(shown, [(e["epoch"], e[key]) for e in epochs if e[key] is not None])

    moved = [e["epoch"] for e in epochs if str(e["stage"]).endswith(WITH_PHI)]
    cuts = [(moved[0], "φ learns")] if moved else []
    note = "The loss in training has more parts: compare where the lines go, not how high they are."
    trained = {
        what: [(e["epoch"], e["train_loss"]) for e in epochs if (e["epoch"] in moved) == joint]
        for what, joint in (("training texts", False), ("the same and φ's own loss", True))
    }
    losses = [*(Curve(what, points) for what, points in trained.items()), curve("held-out texts", "held_out_loss")]
    found: list[Block] = [Plot(f"{name}: loss", "epoch", losses, cuts=cuts, note=note)]
    terms = dict.fromkeys(term for e in epochs for term in e["terms"])
    if len(terms) > 1:
        of_terms = [
            Curve(term, [(e["epoch"], e["terms"][term]) for e in epochs if term in e["terms"]]) for term in terms
        ]
        found.append(Plot(f"{name}: loss of each objective", "epoch", of_terms, cuts=cuts))
    scores = [curve("accuracy", "accuracy"), curve("macro-F1", "macro_f1")]
    if any(score.points for score in scores):
        found.append(Plot(f"{name}: held-out texts", "epoch", scores, is_share=True, cuts=cuts))
    return [*found, Plot(f"{name}: learning rate", "epoch", [curve("learning rate", "learning_rate")], cuts=cuts)]


def _accuracies(held_out: Mapping[str, float], start: Mapping[str, float]) -> Block:
    sides = {"convex start, on texts that it did not see": start, "at the end, on texts held out": held_out}
    rows: list[list[Cell]] = [
        [what, *(Percent(of[part]) for part in NAMES), int(of["texts"])] for what, of in sides.items() if of
    ]
    return Sheet("accuracy", ("", *NAMES.values(), "texts"), rows)


def _stage_sheet(stages: Sequence[Stage]) -> Block:
    rows = [
        (
            s.name, s.epochs, Amount(_course(s.train_loss), s.train_loss[1]), _number(s.held_out_loss), _share(s.accuracy),
            _share(s.macro_f1), Amount(f"{s.learning_rate:.1e}", s.learning_rate), "kept" if s.is_kept else "",
        )
        for s in stages
    ]  # fmt: skip
    header = ("stage", "epochs", "loss", "held-out loss", "accuracy", "macro-F1", "learning rate", "")
    return Sheet("stages", header, rows)


def _objective_sheet(objectives: Sequence[Contribution]) -> Block:
    rows = [
        (
            o.objective,
            o.stage,
            Amount(f"{o.weight:.3g}", o.weight),
            Amount(_course(o.loss), o.loss[1]),
            Percent(o.share),
        )
        for o in objectives
    ]
    return Sheet("what each objective contributed", ("objective", "stage", "weight", "its loss", "of the sum"), rows)


def _epoch_sheet(curves: Sequence[Mapping[str, Any]]) -> Block:
    rows = [
        (
            e["stage"], e["epoch"], _number(e["train_loss"]), _number(e["held_out_loss"]), _share(e["accuracy"]),
            _share(e["macro_f1"]), Amount(f"{e['learning_rate']:.1e}", e["learning_rate"]),
        )
        for e in curves
    ]  # fmt: skip
    header = ("stage", "epoch", "loss", "held-out loss", "accuracy", "macro-F1", "learning rate")
    return Sheet("", header, rows)


def _calibration(calibration: Mapping[str, Any]) -> list[Block]:
    reliable = [(row["confidence"], row["accuracy"]) for row in calibration["reliability"]]
    curves = [Curve("accuracy", reliable)]
    found: list[Block] = [Plot("right, by how sure", "confidence", curves, is_share=True, has_diagonal=True)]
    covered = [(row["coverage"], row["accuracy"]) for row in calibration.get("coverage_curve", ())]
    if len(covered) > 1:
        found.append(
            Plot(
                "right, if only the surest are answered", "share answered", [Curve("accuracy", covered)], is_share=True
            )
        )
    return found


def _course(ends: tuple[float, float]) -> str:
    first, last = (f"{value:.3g}" for value in ends)
    return first if first == last else f"{first} → {last}"


def _number(value: float | None) -> Cell:
    return Amount("–", None) if value is None else Amount(f"{value:.3f}", value)


def _share(value: float | None) -> Cell:
    return Amount("–", None) if value is None else Percent(value)


def _said(value: Any) -> str:
    return "none" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)

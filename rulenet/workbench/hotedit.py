"""New rules for a saved model, without retraining: which weights and predictions change, and how to undo it.

Imports diff and flips; the estimator and below.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from rulenet.base.harmless import harmless
from rulenet.base.wording import counted
from rulenet.data.load import Dataset
from rulenet.errors import LabelError, ParameterError
from rulenet.estimator import RuleNetClassifier
from rulenet.rules.file.schema import Rule
from rulenet.rules.ruleset import RuleSet
from rulenet.store import write
from rulenet.store.manifest import read_config
from rulenet.store.read import read_rules
from rulenet.training.phi_stage import outside_phi, phi_problem
from rulenet.workbench.diff import SHOWN_ANSWERS, RulesDiff, changes, diff_rules, flip_lines, written
from rulenet.workbench.flips import known_labels, model_flips

_NOTHING = 1e-9  # logits
_LEARNING = ("label", "labels", "weight", "confidence", "sign", "pin")
_WORDS_ONLY = ("note", "tags", "examples")  # change nothing that a rule does


@dataclass(frozen=True)
class RuleEdit:
    """How a rule of a fitted model changes; a rule with ``negation: {flip: …}`` is two, as in the model.

    `what` happens to it is ``"added"``, ``"removed"``, ``"re-weighted"`` (a new label, weight, sign or pin), ``"re-conditioned"`` (it fires
    on other texts) or the last two; if it is empty, only the learned weight has changed, because of a refit.
    """

    id: str
    what: tuple[str, ...]
    before: dict[str, float] | None  # weight for each label, in logits; None: the rule does not exist
    after: dict[str, float] | None
    is_learned: bool  # whether the weight after the edit is learned from data and not its author's

    @property
    def moved(self) -> float:
        """The largest change of a weight, in logits."""
        was, now = self.before or {}, self.after or {}
        return max((abs(now.get(label, 0.0) - was.get(label, 0.0)) for label in {**was, **now}), default=0.0)


@dataclass(frozen=True)
class Edit:
    """How a model changes with its rules.

    Attributes
    ----------
    model
        Its folder.
    diff
        Where the rules differ, and the predictions of the sample that change.
    rules
        Every rule that has changed; a refit may change all weights.
    n_kept
        Number of rules that have not changed.
    refit
        Number of labelled texts on which φ was solved again; None: it was not.
    is_stale
        Whether probabilities, label sets and the statistical cascade are still based on texts scored with earlier rules.
    is_written
        Whether the model was changed: not in a dry run, or if there was nothing to change.
    """

    model: str
    diff: RulesDiff
    rules: list[RuleEdit]
    n_kept: int
    refit: int | None
    is_stale: bool
    is_written: bool

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that survives conversion to JSON and back."""
        rules = [{**asdict(rule), "what": list(rule.what)} for rule in self.rules]
        names = ("model", "n_kept", "refit", "is_stale", "is_written")
        return {**{name: getattr(self, name) for name in names}, "rules": rules, "diff": self.diff.to_dict()}

    def lines(self) -> Iterator[str]:
        """Yield a readable report; the first character of a line says what it is about, as in `RulesDiff.lines`."""
        yield from self.diff.rule_lines()
        shown = sorted(self.rules, key=lambda rule: (not rule.what, -rule.moved))
        if shown:
            yield from ("", "Weights, in logits")
        for rule in shown[:SHOWN_ANSWERS]:
            origin = "" if rule.after is None else " (learned)" if rule.is_learned else " (starting weight)"
            what = ", ".join(rule.what) or "refitted"
            yield f"    {rule.id} ({what}): {_weights(rule.before)} → {_weights(rule.after)}{origin}"
        if len(shown) > SHOWN_ANSWERS:
            yield f"    and {counted(len(shown) - SHOWN_ANSWERS, 'more rule')}; --json lists them all"
        yield f"{counted(self.n_kept, 'rule is', 'rules are')} unchanged"
        if self.refit is not None:
            yield f"φ was solved again with {counted(self.refit, 'text')}; the transformer and its scale are unchanged"
        if self.diff.flips is not None:
            yield from flip_lines(self.diff.flips)
        if self.is_stale:
            yield ""
            yield (
                "Probabilities, label sets and the statistical cascade are still based on texts scored with earlier rules; "
                "calibrate the model again to update them"
            )

    def __str__(self) -> str:
        return "\n".join(harmless(line, one_line=True) for line in self.lines())


def apply_rules(
    model_dir: str | os.PathLike[str], rules: RuleSet | str | os.PathLike[str] | None, *, sample: Dataset | Sequence[str] | None = None,
    refit: str | None = None, data: Dataset | None = None, dry_run: bool = False, device: str = "auto", n_jobs: int | None = None,
) -> Edit:  # fmt: skip
    """Replace the rules of a saved model.

    The folder changes in one step, see `rulenet.store.write`, and can be changed back with `undo`. If two edits are made at the same
    time, the second is refused.

    Parameters
    ----------
    model_dir
        A folder that `RuleNetClassifier.save` wrote.
    rules
        The new rules; None: keep those of the model, for `refit`.
    sample
        Texts whose changed predictions are reported; with labels, also the accuracy.
    refit
        ``"phi"``: solve φ again on `data`, with the recipe and vocabulary of the model. None: new and re-weighted rules have their
        author's weight, everything else is unchanged.
    data
        Labelled texts for `refit`, with every label of the model.
    dry_run
        Report what would change, but do not write.
    device, n_jobs
        As in `RuleNetClassifier`.

    Raises
    ------
    RuleFileError, LabelError, ParameterError
        If the rules or the data cannot be used with this model.
    ModelFileError
        If the folder is not a model, cannot be written, or was changed by someone else at the same time.
    """
    _check_request(rules, refit, data)
    folder = Path(model_dir).resolve()
    seen = read_config(folder)
    before = RuleNetClassifier.load(folder, device=device, n_jobs=n_jobs)
    old = before.predictor_.hybrid.features.ruleset
    ruleset = old if rules is None else rules if isinstance(rules, RuleSet) else RuleSet.load(rules)
    after = before.with_rules(ruleset)
    if data is not None:
        after = refit_phi(after, data)
    texts = sample.texts if isinstance(sample, Dataset) else sample
    labels = known_labels(before.predictor_, sample) if isinstance(sample, Dataset) else None
    diff = diff_rules(old, ruleset)
    if texts is not None:
        diff = replace(diff, flips=model_flips(before.predictor_, after.predictor_, texts, labels))
    edits, n_kept = _rule_edits(before, after, diff, is_refitted=data is not None)
    is_written = (ruleset != old or data is not None) and not dry_run
    if is_written:
        write.save_edit(folder, after.predictor_.hybrid, report=_with_log(after.report_, ruleset), seen=seen)
    held_out, refitted = after.predictor_.hybrid.held_out, None if data is None else len(data.texts)
    is_stale = held_out is not None and held_out.is_stale
    return Edit(str(folder), diff, edits, n_kept, refitted, is_stale, is_written)


def _check_request(rules: object, refit: str | None, data: Dataset | None) -> None:
    """Check that the arguments go together."""
    if refit not in (None, "phi"):
        raise ParameterError(f"refit={refit!r} is not known; the only choice is 'phi'")
    if (refit is None) != (data is None):
        raise ParameterError(
            "refit='phi' needs labelled texts, data=…, and only refit='phi' uses them: give both or neither"
        )
    if rules is None and refit is None:
        raise ParameterError("rules=None keeps the rules, so without refit='phi' there is nothing to do")


def undo(model_dir: str | os.PathLike[str]) -> RulesDiff:
    """Take back the latest edit, save or export of a model, bit for bit, and return how its rules change.

    Raises
    ------
    ModelFileError
        If there is no edit to take back, or the folder cannot be written.
    """
    return _stepped(model_dir, write.undo)


def redo(model_dir: str | os.PathLike[str]) -> RulesDiff:
    """Take back the latest `undo`, and return how the rules change."""
    return _stepped(model_dir, write.redo)


def _stepped(model_dir: str | os.PathLike[str], step: Callable[[Path], None]) -> RulesDiff:
    folder = Path(model_dir).resolve()
    before = read_rules(folder, read_config(folder))
    step(folder)
    return diff_rules(before, read_rules(folder, read_config(folder)))


def _with_log(report: dict[str, Any], ruleset: RuleSet | None) -> dict[str, Any]:
    """Add when this edit was made, and with which rules."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    entry = {"at": now, "rules": ruleset and ruleset.name, "sha256": ruleset and ruleset.fingerprint}
    return {**report, "n_rules": len(ruleset) if ruleset else 0, "edits": [*report.get("edits", []), entry]}


def _rules(clf: RuleNetClassifier) -> dict[str, Rule]:
    """Return the rules of a model, by id."""
    ruleset = clf.predictor_.hybrid.features.ruleset
    return {} if ruleset is None else {rule.id: rule for rule in ruleset.rules}


# ---------------------------------------------------------------------- φ


def refit_phi(clf: RuleNetClassifier, data: Dataset) -> RuleNetClassifier:
    """Return a copy with φ solved again, with the recipe and vocabulary of the model; ψ and both scales are unchanged.

    Raises
    ------
    LabelError
        If the data has a label that the model does not know, or lacks one of the model's, which φ would unlearn.
    """
    predictor = clf.predictor_
    hybrid, classes, labels = predictor.hybrid, predictor.labels.tolist(), known_labels(predictor, data)
    if labels is None:
        raise LabelError(f"{data.source} has no labels to learn from, or some are missing")
    several = predictor.link.several
    y = (
        predictor.class_indices(labels, len(labels))
        if several
        else np.array([classes.index(label) for label in labels])
    )
    counts = y.sum(axis=0) if several else np.bincount(y, minlength=len(classes))
    if lacking := [str(label) for label, n in zip(classes, counts, strict=True) if not n]:
        raise LabelError(
            f"{data.source} has no text with the label {', '.join(map(repr, lacking))}, so φ would unlearn it; add some"
        )
    recipe = clf.recipe_
    problem = phi_problem(hybrid.features, predictor.names, recipe, shared=hybrid.weights.shared, link=predictor.link)
    X = hybrid.features.transform(data.texts)
    Y = problem.link.targets(y, len(classes))
    offset = None
    if recipe.phi.exit_margin and hybrid.psi is not None:
        is_labelled = np.ones(len(labels), dtype=bool)
        offset = outside_phi(problem, X, Y, is_labelled, hybrid.features, recipe, 0)[1]
    weights = replace(problem.solve(X, Y, offset=offset), like=hybrid.weights.like).finished()
    held_out = hybrid.held_out and replace(hybrid.held_out, is_stale=True)
    other = copy.copy(clf)
    other.predictor_ = predictor.with_hybrid(replace(hybrid, weights=weights, held_out=held_out))
    return other


# ---------------------------------------------------------------------- the report


def _rule_edits(
    before: RuleNetClassifier, after: RuleNetClassifier, diff: RulesDiff, *, is_refitted: bool
) -> tuple[list[RuleEdit], int]:
    """Return the rules that have changed, and the number of those that have not."""
    old, new = _rules(before), _rules(after)
    was, now = (_rule_weights(clf) for clf in (before, after))
    with_lists = {name for lexicon in diff.lexicons for name in lexicon.rules}
    edits = []
    for name in dict.fromkeys([*new, *old]):
        what: tuple[str, ...] = ()
        if name not in old or name not in new:
            what = ("added",) if name in new else ("removed",)
        elif old[name] != new[name] or name.removesuffix(".negated") in with_lists:
            fields = {change.field for change in changes(written(old[name]), written(new[name]))}
            behaviour = fields.difference(_LEARNING, _WORDS_ONLY) or name.removesuffix(".negated") in with_lists
            what = ("re-weighted",) * bool(fields.intersection(_LEARNING)) + ("re-conditioned",) * bool(behaviour)
        is_learned = name in new and (is_refitted or (name in old and "re-weighted" not in what))
        edit = RuleEdit(name, what, was.get(name), now.get(name), is_learned)
        if what or edit.moved > _NOTHING:
            edits.append(edit)
    changed = {edit.id for edit in edits}
    return edits, sum(name in old and name not in changed for name in new)


def _rule_weights(clf: RuleNetClassifier) -> dict[str, dict[str, float]]:
    """Return the weight of each rule for each of its labels, in logits."""
    hybrid = clf.predictor_.hybrid
    index = {name: k for k, name in enumerate(clf.predictor_.names)}
    W = hybrid.phi_scale * hybrid.weights.coef
    rules = enumerate(_rules(clf).values())
    return {rule.id: {label: float(W[i, index[label]]) for label in rule.evidence} for i, rule in rules}


def _weights(weights: dict[str, float] | None) -> str:
    return "none" if weights is None else ", ".join(f"{label} {weight:+.2f}" for label, weight in weights.items())

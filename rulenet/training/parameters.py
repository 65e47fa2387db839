"""The constructor arguments of an estimator, checked. Imports errors, text, rules, device, encoders, cascade and recipe."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rulenet.data.check import is_share
from rulenet.decide.cascade import MODES
from rulenet.errors import ParameterError
from rulenet.model.device import choose_device
from rulenet.model.encoders.load import AUTO, check_encoder
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language, declared_or_detected, looks
from rulenet.training.recipe import Recipe
from rulenet.training.recipes import AUTO as AUTO_RECIPE
from rulenet.training.recipes import chosen


def check_parameters(params: Mapping[str, Any], *, resume: bool = False) -> Recipe:
    """The recipe of an estimator; a ParameterError names every constructor argument that cannot be used.

    Encoders of word vectors are tried here, before any work; the estimator's, which may depend on the texts, is chosen with them.
    """
    rules, encoder, recipe, n_jobs = (params[name] for name in ("rules", "encoder", "recipe", "n_jobs"))
    fine = {
        "rules": (isinstance(rules, str | os.PathLike | RuleSet | None), "a path, a RuleSet or None"),
        "encoder": (isinstance(encoder, str | os.PathLike | None), "a name, a folder or None"),
        "language": (params["language"] in ("auto", "en", "zh"), "'auto', 'en' or 'zh'"),
        "cascade": (params["cascade"] in MODES, "'off', 'certified' or 'statistical'"),
        "cascade_risk": (is_share(params["cascade_risk"]), "a share between 0 and 1"),
        "device": (params["device"] in ("auto", "cpu", "cuda"), "'auto', 'cpu' or 'cuda'"),
        "recipe": (isinstance(recipe, Recipe | str | None), "a Recipe, a name of `rulenet recipes` or 'auto'"),
        "random_state": (_is_whole(params["random_state"], 0, 2**32), "a whole number from 0 to 2**32 - 1"),
        "descriptions": (_describes(params["descriptions"]), "a mapping from labels to texts"),
        "n_jobs": (_is_whole(n_jobs, -(2**15), 2**15) and n_jobs != 0, "a number of processes (-1: all cores)"),
        "work_dir": (isinstance(params["work_dir"], str | os.PathLike | None), "a folder or None"),
    }
    problems = [f"{name}={params[name]!r} is not {what}" for name, (is_fine, what) in fine.items() if not is_fine]
    found = Recipe()
    try:
        found = chosen(recipe if isinstance(recipe, Recipe | str) and recipe != AUTO_RECIPE else None)
    except ParameterError as error:
        problems.append(str(error))
    if rules is None and encoder is None and not (found.columns.tfidf or found.columns.pos):
        problems.append("rules=None, encoder=None and a recipe without tfidf leave nothing to learn with")
    if encoder is not None and params["device"] == "cuda" and choose_device("cuda") == "cpu":
        problems.append("device='cuda', but torch sees no GPU; use device='auto' or 'cpu'")
    if encoder == "scratch" and found.steps.epochs == 0:
        problems.append("epochs=0 leaves ψ as it began, and encoder='scratch' has learned nothing yet; give at least 1")
    if encoder == "scratch" and (adapting := [tuning for tuning in found.tunings if tuning.adapts]):
        knows = "adapts what an encoder knows, and encoder='scratch' knows nothing yet; use tune=Full()"
        problems.append(f"{'stages with ' if found.stages else 'tune='}{adapting[0]!r} {knows}")
    if found.prompt == "descriptions" and not params["descriptions"]:
        problems.append("prompt='descriptions' needs descriptions=…, which say what the labels mean")
    if resume and params["work_dir"] is None:
        problems.append("resume=True needs work_dir=…, the folder where the interrupted run kept its checkpoints")
    if problems:
        raise ParameterError("; ".join(problems))
    for tuning in found.tunings if encoder is not None else ():
        tuning.check()
    if found.phi.word_vectors not in (None, AUTO):
        check_encoder(str(found.phi.word_vectors))
    return found


def chosen_language(
    language: str, ruleset: RuleSet | None, texts: Sequence[str], unlabeled: Sequence[str] = ()
) -> Language:
    """The language of a model: the requested one, else that of the rules, else that of the texts; other unlabelled texts are warned of."""
    if unlabeled and (others := looks(texts)) != (look := looks(unlabeled)):
        what = f"the texts without labels look {look}, the others {others}"
        warnings.warn(f"{what}: rules and words of one language find little in the other", stacklevel=3)
    declared = ruleset.language if ruleset is not None else "any"
    if language == "auto":
        return declared_or_detected(declared, texts)
    chosen: Language = "zh" if language == "zh" else "en"
    if declared not in ("any", chosen):
        mismatch = f"language={chosen!r}, but the rules are written for {declared!r}"
        raise ParameterError(f"{mismatch}; change one or use language='auto'")
    return chosen


def _describes(value: Any) -> bool:
    """Whether this is None or gives labels a text each."""
    if not isinstance(value, Mapping):
        return value is None
    return bool(value) and all(isinstance(text, str) and text.strip() for text in value.values())


def _is_whole(value: Any, low: int, high: int) -> bool:
    """Whether this is None or a whole number, low ≤ value < high; True and False are not numbers."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return value is None or (is_whole and low <= int(value) < high)

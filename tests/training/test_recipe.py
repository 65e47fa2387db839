"""The recipe: flat spelling of its parts, faults, what the data settle, and its form in JSON."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from rulenet.errors import ParameterError
from rulenet.model.encoders.encoder import Traits
from rulenet.training.augment.swap import Swap
from rulenet.training.objectives.contrast import Contrastive
from rulenet.training.objectives.objective import Objective, Setup, Term
from rulenet.training.objectives.supervised import Supervised
from rulenet.training.parts import Phi, Steps
from rulenet.training.recipe import PARTS, Recipe
from rulenet.training.tuning.frozen import Frozen
from rulenet.training.tuning.full import Full
from rulenet.training.tuning.lora import LoRA
from rulenet.training.tuning.soft_prompt import SoftPrompt


@dataclass(frozen=True)
class Mine(Objective):
    """An objective from elsewhere."""

    weight: float = 0.5
    strength: int = 2

    def start(self, setup: Setup) -> Term:
        return Term()


RECIPES = {
    "Recipe()": Recipe(),
    "Recipe.of(C=2.0, epochs=3)": Recipe.of(epochs=3, C=2),
    "Recipe.of(bound=None, frozen_layers=1)": Recipe.of(head=PARTS["head"](bound=None), tune=Frozen(1)),
    "Recipe.of(tune=Full(), held_out=0.5)": Recipe.of(held_out=0.5, tune=Full()),
    "Recipe.of(stages=(SoftPrompt(), LoRA(r=4)), optimizer='lion')": Recipe.of(
        stages=["prompt", LoRA(4)], optimizer="lion"
    ),
    "Recipe.of(joint_epochs=2, psi_loss=0.0)": None,
    "Recipe.of(phi_loss=0.1, contrast_steps=5)": Recipe.of(phi_loss=0.1, contrast_steps=5),
    "Recipe.of(objectives=(Supervised(weight=2.0), Mine(weight=0.5, strength=2)))": Recipe.of(
        objectives=(Supervised(weight=2), Mine())
    ),
}


@pytest.mark.parametrize("shown", RECIPES)
def test_its_repr_is_what_makes_it_and_shows_only_what_differs(shown: str) -> None:
    expected = RECIPES[shown] or Recipe.of(psi_loss=0, joint_epochs=2)
    assert eval(shown) == expected
    assert eval(repr(expected)) == expected
    assert len(repr(expected)) == len(shown)


def test_names_of_fields_are_unique() -> None:
    parts = (*PARTS.values(), Frozen, Supervised, Contrastive)
    fields = [field.name for part in parts for field in dataclasses.fields(part) if field.name != "weight"]  # type: ignore[arg-type]
    assert len(set(fields)) == len(fields)
    assert set(Recipe().leaves()) == {
        *fields,
        "tune",
        "stages",
        "objectives",
        "augment",
        "prompt",
        "keep_rule_spans",
        "alpha",
        "held_out",
    }


def test_changes_reach_their_part_and_leave_the_others() -> None:
    recipe = Recipe.of(epochs=2, C=10.0).with_changes(bound=3.0, phi_loss=0.1)
    assert (recipe.steps, recipe.head.bound, recipe.phi) == (Steps(epochs=2), 3.0, Phi(C=10.0))
    assert recipe.objectives == (Supervised(phi_loss=0.1), Contrastive())
    assert recipe.with_changes(tune=Full()).with_changes(frozen_layers=2).tune == Frozen(2)
    assert Recipe.of(ngram_range=[1, 3], C=np.float32(2), folds=np.int64(3)) == Recipe.of(
        ngram_range=(1, 3), C=2.0, folds=3
    )
    for twin in (copy.deepcopy(recipe), pickle.loads(pickle.dumps(recipe))):
        assert twin == recipe


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"epoch": 1, "wieght": 2}, r"^recipe: unknown field 'epoch' \(did you mean 'epochs'\?\); unknown field 'wieght"),
        ({"C": -1, "folds": 0, "dropout": 2},
         r"^recipe: C=-1 should be greater than 0; folds=0 should be at least 1; dropout=2 .* less than 1$"),
        ({"C": "x", "folds": 2.5, "tfidf": "no"},
         r"(?=.*C='x' should be a number)(?=.*folds=2\.5 .*whole)(?=.*tfidf='no' .*True or)"),
        ({"C": float("nan"), "bound": True}, r"(?=.*C=nan should be greater than 0)(?=.*bound=True should be a number)"),
        ({"ngram_range": (1, 2, 3)}, r"ngram_range=\(1, 2, 3\) should have at most 2 items, not 3"),
        ({"ngram_range": (2, 1), "held_out": 0.0}, r"ngram_range=\(2, 1\) should be the shortest and.*held_out=0\.0 should be greater"),
        ({"long_texts": "tail", "max_chunks": 0}, r"long_texts='tail' should be 'head', 'head_tail' or 'chunks'; max_chunks=0"),
        ({"joint_epochs": -1, "frozen_layers": -1}, r"(?=.*joint_epochs=-1 should be at)(?=.*frozen_layers=-1 should be at least 0)"),
        ({"batch_tokens": 100}, r"batch_tokens=100 should be at least max_length=256"),
        ({"tune": "full", "objectives": ()}, r"(?=.*tune='full' should be a tuning)(?=.*objectives=\(\) should have at least 1)"),
        ({"tune": LoRA(), "frozen_layers": 3}, r"frozen_layers of Frozen\(\) cannot be given to LoRA\(\): choose one tuning$"),
        ({"r": 4, "prompt_tokens": 3}, r"prompt_tokens of SoftPrompt\(\) cannot be given to LoRA\(\)"),
        ({"stages": "prompt, lora", "r": 4}, r"stages=\(SoftPrompt\(\), LoRA\(\)\) say how .* so leave out tune=LoRA\(r=4\)"),
        ({"stages": ["prompt", "adapter"]}, r"stages=\['prompt', 'adapter'\] should be names of 'full', .* and 'adapter' is none"),
        ({"stages": [SoftPrompt(2), "prompt"]}, r"prompt_tokens=\[2, 16\] differ, but a text has one prompt"),
        ({"stages": "lora", "epochs": 0}, r"epochs=0 leaves stages nothing to learn"),
        ({"schedule": "one_cycle", "warmup": 0.2}, r"warmup=0.2 has no effect with schedule='one_cycle'"),
        ({"weight": 2}, r"unknown field 'weight'"),
    ],
)  # fmt: skip
def test_every_fault_is_named_with_what_is_allowed(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Recipe.of(**fields)


def test_parts_refuse_what_cannot_be_used_by_themselves() -> None:
    with pytest.raises(ParameterError, match=r"^C=0 should be greater than 0; unknown field 'D'$"):
        Phi(C=0, D=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("n_texts", "n_train", "settled"),
    [
        (999, 850, {"min_df": 1, "epochs": 4, "contrast_steps": 0}),
        (1000, 1000, {"min_df": 2, "epochs": 3, "contrast_steps": 0}),
        (1000, 320, {"min_df": 2, "epochs": 10, "contrast_steps": 0}),
        (10, 10, {"min_df": 1, "epochs": 0, "contrast_steps": 0}),
    ],
)
def test_the_data_settle_what_is_open(n_texts: int, n_train: int, settled: dict[str, Any]) -> None:
    recipe = Recipe().resolved(n_texts, Traits(), n_train)
    assert recipe == Recipe.of(**settled, learning_rate=5e-5, head_learning_rate=1e-4, frozen_layers=3)
    assert recipe.resolved(1, Traits(learning_rate=1.0, epochs=1), 1) == recipe  # nothing is left to settle
    few = Recipe().resolved(n_texts, Traits(contrast_steps=20), n_train)
    assert few == recipe.with_changes(contrast_steps=0 if settled["epochs"] else 20)
    scratch = Recipe().resolved(n_texts, Traits(pretrained=False, learning_rate=1e-3, epochs=10), n_train)
    assert scratch.steps == Steps(epochs=10, learning_rate=1e-3, head_learning_rate=1e-3)
    assert Recipe().resolved(n_texts).steps == Steps()


def test_auto_is_another_word_for_open() -> None:
    assert Recipe.of(C="auto", nb="auto") == Recipe.of(C=None, nb=None) == Recipe()
    with pytest.raises(ParameterError, match=r"^recipe: C='Auto' should be a number"):
        Recipe.of(C="Auto")
    with pytest.raises(ParameterError, match=r"^recipe: word_vectors='' should not be empty$"):
        Recipe.of(word_vectors="")


def test_it_comes_back_from_json() -> None:
    for recipe in RECIPES.values():
        if recipe is not None and not any(isinstance(objective, Mine) for objective in recipe.objectives):
            assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert Recipe.from_dict({"ngram_range": [1, 1], "phi": {"C": 2.0}}) == Recipe.of(ngram_range=(1, 1), C=2.0)


def test_an_objective_from_elsewhere_is_kept_as_stored_and_not_trained_with() -> None:
    stored = json.loads(json.dumps(RECIPES[list(RECIPES)[-1]].to_dict()))  # type: ignore[union-attr]
    recipe = Recipe.from_dict(stored)
    assert recipe.to_dict() == stored | {"columns": {**stored["columns"], "ngram_range": (1, 2)}}
    with pytest.raises(ParameterError, match="the objective 'Mine' is not part of rulenet"):
        recipe.objectives[1].start(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"lr": 1}, "recipe: unknown field 'lr'"),
        ({"phi": {}, "C": 0}, "recipe: C=0 should be greater than 0"),
        ({"phi": {"lr": 1}}, "recipe: unknown field 'lr'"),
        ({"phi": {"C": -1.0}}, "recipe: C=-1.0 should be greater than 0"),
        ({"phi": 3}, "recipe: 3 should be a mapping of the fields of Phi"),
        ({"tune": {"kind": "Thawed"}}, "recipe: kind='Thawed' should be 'Full' or 'Frozen'"),
        ({"objectives": [3]}, "recipe: 3 should be a mapping with a 'kind'"),
        ({"objectives": 3}, "recipe: 'int' object is not iterable"),
        ({"objectives": [{"kind": "Supervised", "lr": 1}]}, "recipe: unknown field 'lr'"),
    ],
)
def test_a_stored_recipe_that_is_wrong_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Recipe.from_dict(data)


@pytest.mark.parametrize("fields", [{"tune": LoRA()}, {"augment": [Swap()]}, {"learning_rate": 1e-4}, {"epochs": 2}])
def test_who_says_how_epochs_are_made_gets_them(fields: dict[str, Any]) -> None:
    assert Recipe.of(batch_texts=8, precision="float32").fewest(draws=True) == 400
    assert Recipe.of(**fields).fewest(draws=True) == Recipe().fewest(draws=False) == 80

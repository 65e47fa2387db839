"""What a search may change: every value of the table makes a recipe, and what is tried next is near and promising."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rulenet import Recipe
from rulenet.search import space as module
from rulenet.search.space import SPACE, Space, methods
from rulenet.training import experience
from rulenet.training.experience import Measured, Sketch

ALL = Sketch(500, 4, 50.0, coverage=0.5, encoder="minilm", unlabeled=True)


def test_every_value_of_the_table_makes_a_recipe_with_an_encoder_with_all_there_is() -> None:
    space = Space(Recipe(), ALL)
    assert set(space.dials) == {dial.name for dial in SPACE}
    for name, values in space.dials.items():
        assert len(set(values)) == len(values), name
        for value in values[1:]:
            beside = {"recipe": "mixture"} if name == "alpha" else {}
            assert space.recipe({**beside, name: value}) != space.recipe(beside), (name, value)
    lora = space.active("lora")
    assert ("epochs" in lora, "learning_rate" in lora, "alpha" in lora, "alpha" in space.active("mixture")) == (
        True, False, False, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sketch", "has", "lacks"),
    [
        (Sketch(500, 4, 50.0), {"C", "ngram_range"}, {"recipe", "epochs", "rule_sigma"}),
        (Sketch(500, 4, 50.0, coverage=0.2), {"rule_sigma"}, {"rounds"}),
        (replace(ALL, encoder="scratch"), {"epochs", "rounds"}, {"learning_rate", "contrast_steps"}),
        (replace(ALL, several=True), {"recipe"}, {"label_smoothing", "contrast_steps"}),
        (replace(ALL, unlabeled=False), {"recipe"}, {"alpha", "trusted"}),
    ],
)
def test_only_what_fits_the_data_is_tried(sketch: Sketch, has: set[str], lacks: set[str]) -> None:
    dials = Space(Recipe(), sketch).dials
    assert has <= set(dials)
    assert not lacks & set(dials)
    if sketch.encoder == "scratch":
        assert not {"lora", "quick", "contrastive"} & {*dials["recipe"]}
    if not sketch.unlabeled:
        assert "pseudo-labels" not in dials.get("recipe", ())


def test_what_promises_most_comes_first_then_the_others_then_two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = [
        Measured(ALL, "data", method, gain, 0.3, 3, 1.0, "test") for method, gain in [("lora", 4.0), ("C=30.0", 2.0), ("full", -5.0)]
    ]  # fmt: skip
    monkeypatch.setattr(experience, "table", lambda: tuple(measured))
    some = tuple(dial for dial in SPACE if dial.name in ("recipe", "C", "nb"))
    monkeypatch.setattr(module, "SPACE", some)
    space, tried = Space(Recipe(), ALL), [{}]
    names: list[str] = []
    while (found := space.next({}, tried)) is not None and len(methods(found)) == 1:
        names += methods(found)
        tried.append(found)
    assert names[:3] == ["lora", "C=30.0", "contrastive"]
    assert names[-1] == "full"
    assert len(methods(found or {})) == 2
    around = space.next(tried[1], tried)
    assert around is not None
    assert methods(around)[0] == "lora"
    assert len(methods(around)) == 2


def test_what_changes_nothing_is_not_tried_and_a_small_space_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPACE", (module.Dial("C", ("3.0", "9.0")), module.Dial("nb", ("true",))))
    space, tried = Space(Recipe.of(C=3.0), Sketch(60, 2, 9.0)), [{}]
    while (found := space.next({}, tried)) is not None:
        tried.append(found)
    assert [methods(setting) for setting in tried] == [[], ["nb=true"], ["C=9.0"], ["C=9.0", "nb=true"]]

"""Augmentations: what each does to words, that spans of rules stay, and that batches are changed as they should."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet import Recipe, RuleNetClassifier, RuleSet  # noqa: E402
from rulenet.errors import ParameterError  # noqa: E402
from rulenet.text.tokenise import Tokeniser  # noqa: E402
from rulenet.training import loop  # noqa: E402
from rulenet.training import run as run_module  # noqa: E402
from rulenet.training.augment import Mixup, Swap, TokenDropout  # noqa: E402
from rulenet.training.augment.augmentation import changed  # noqa: E402
from rulenet.training.augment.words import WordFinder  # noqa: E402
from rulenet.training.batch import Batch, Step  # noqa: E402
from rulenet.training.checkpoint import Checkpoint  # noqa: E402
from rulenet.training.tuning.full import Full  # noqa: E402
from tests.breaking import before_call, raising  # noqa: E402
from tests.training.runs import state, train_run  # noqa: E402

ALL = (TokenDropout(0.3), Swap(0.3), Mixup(1.0))
RECIPE = Recipe.of(epochs=2, learning_rate=1e-3, tune=Full(), max_length=32, batch_texts=8, joint_epochs=1)
RULES = "{{rulenet: 1, language: {0}, rules: [{{id: one, label: x, {1}}}]}}"


def test_words_are_left_out_or_change_places_and_fixed_ones_do_not() -> None:
    words, rng = [f"w{i}" for i in range(1000)], np.random.default_rng(0)
    text, is_free = WordFinder().of(" ".join(words)), [i % 10 != 0 for i in range(1000)]
    dropped = TokenDropout(0.3).apply(words, is_free, text, rng)
    assert [word for word, free in zip(dropped, is_free, strict=True) if not free] == words[::10]
    assert 0.25 * 900 < dropped.count("") < 0.35 * 900
    swapped = Swap(0.3).apply(words, is_free, text, rng)
    assert swapped[::10] == words[::10]
    moves = [words.index(word) - i for i, word in enumerate(swapped)]
    assert set(moves) == {-1, 0, 1}
    assert 0.3 * 900 < sum(map(abs, moves)) < 0.55 * 900
    assert all(len("".join(TokenDropout(0.99).apply(["a", "b"], [True] * 2, text, rng))) == 1 for _ in range(20))


@pytest.mark.parametrize(
    ("language", "condition", "text", "free"),
    [
        ("en", "word: company", "The company's oil", ["The", "'s", "oil"]),  # 's begins where the span ends
        ("en", "phrase: oil price", "<b>Caf&eacute; &amp; oil  price</b> rose", ["Caf&eacute;", "rose"]),
        ("en", "regex: 'l p'", "an oil price up", ["an", "up"]),  # one letter of each word
        ("zh", "word: 苹果", "我喜欢苹果手机", ["我", "喜欢", "手机"]),  # no space between a span and its neighbours
        ("en", "word: none", "The oil", ["The", "oil"]),
    ],
)
def test_words_under_spans_of_rules_are_fixed(language: Any, condition: str, text: str, free: list[str]) -> None:
    ruleset = RuleSet.from_yaml(RULES.format(language, condition))
    found = WordFinder(Tokeniser(language, ruleset.term_words), ruleset, keep_spans=True).of(text)
    assert [word for word, is_free in zip(found.words, found.is_free, strict=True) if is_free] == free
    assert all(WordFinder(Tokeniser(language), ruleset).of(text).is_free)
    kept = [text[start:end] for spans in ruleset.spans(text, language=language).values() for start, end in spans]
    for seed in range(20):
        new = changed(found, (TokenDropout(0.6), Swap(0.6)), np.random.default_rng(seed))
        assert all(span in new for span in kept)


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        (" a  b, c", ["", "b", "c"], "  b, c"),
        ("a  b, c", ["a", "", "x"], "a, x"),
        ("a b c", ["a", "", "c"], "a c"),
        ("the company's oil", ["the", "", "'s", "oil"], "the 's oil"),
        ("½ cup", ["1", "cup"], "1 cup"),
        ("...", [], "..."),
    ],
)
def test_what_is_between_words_stays(text: str, words: list[str], expected: str) -> None:
    assert WordFinder().of(text).joined(words) == expected


def batch_of(run: dict[str, Any], *, epoch: int = 0, seed: int = 0, augment: Any = ALL) -> Batch:
    step, indices = Step(seed, epoch, 0, 2, torch.device("cpu")), np.arange(8)
    return Batch(run["train"], indices, step, run["psi"], run["psi"].read, indices, 8, augment, is_augmented=True)


def test_a_batch_changes_with_the_epoch_and_not_with_its_parts(make: Callable[..., Any]) -> None:
    run = make()
    whole, encoder = batch_of(run), run["psi"].encoder
    given = [list(row) for row in encoder.encode(run["train"].texts[:8])]
    rows = [list(row) for row in whole.rows]
    assert rows != given
    assert all(set(row) <= set(old) for row, old in zip(rows, given, strict=True))  # the same words, or fewer
    parts = [list(row) for places in ([5, 0], [7]) for row in whole.part(np.array(places)).rows]
    assert parts == [rows[i] for i in (5, 0, 7)]
    assert [list(row) for row in batch_of(run).rows] == rows
    for other in (batch_of(run, epoch=1).rows, batch_of(run, seed=1).rows, whole.augmented(None, 1)):
        assert [list(row) for row in other] != rows
    plain = replace(whole, is_augmented=False)
    assert [list(row) for row in plain.rows] == given
    assert plain.mixed(plain.target)[0] is not None
    torch.testing.assert_close(plain.mixed(plain.target)[0], plain.target)


def test_mixing_keeps_values_and_targets_together(make: Callable[..., Any]) -> None:
    batch = batch_of(make(), augment=(Mixup(5.0),))
    names = torch.eye(8)
    who, phi, target = batch.mixed(names, batch.phi, batch.target)
    torch.testing.assert_close(who.sum(1), torch.ones(8))
    assert all(float(who[i, i]) >= 0.5 for i in range(8))
    torch.testing.assert_close(phi, who @ batch.phi)
    torch.testing.assert_close(target, who @ batch.target)
    assert float(who.diagonal().mean()) < 0.9


def test_a_run_is_resumed_bit_for_bit(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recipe = RECIPE.with_changes(augment=ALL)
    plain, whole, broken, resumed = make(), make(), make(), make()
    train_run(plain, RECIPE)
    train_run(whole, recipe)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", before_call(8, loop.train_step, raising(InterruptedError("broken off"))))
        patch.setattr(run_module, "SECONDS", 0.0)
        with pytest.raises(InterruptedError, match="broken off"):
            train_run(broken, recipe, checkpoint=Checkpoint(tmp_path, {"settings": {}}))
    train_run(resumed, recipe, checkpoint=Checkpoint(tmp_path, {"settings": {}}, resume=True))
    assert all(torch.equal(value, state(resumed)[name]) for name, value in state(whole).items())
    assert any(not torch.equal(value, state(plain)[name]) for name, value in state(whole).items())


@pytest.mark.slow
def test_only_what_training_reads_is_changed(
    tiny_encoder: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """φ, held-out texts and the model's answers are of texts as given; frozen layers are kept only where words do not change."""
    met, read = [], list[list[str]]()
    real, real_changed = loop.train_psi, changed

    def spy(psi: Any, train: Any, held_out: Any, *arguments: Any, **options: Any) -> Any:
        met.append((train, held_out))
        return real(psi, train, held_out, *arguments, **options)

    def noted(text: Any, augment: Any, rng: Any) -> str:
        read[-1].append(text.text)
        return real_changed(text, augment, rng)

    monkeypatch.setattr(loop, "train_psi", spy)
    monkeypatch.setattr("rulenet.training.batch.changed", noted)
    rules = RuleSet.from_yaml("{rulenet: 1, rules: [{id: goal, label: sport, word: goal}]}")
    texts = [f"{text} {i}" for i, text in enumerate(["the goal", "win the match", "oil price", "the bank"] * 12)]
    labels, fitted = ["sport", "sport", "money", "money"] * 12, []
    for augment in ((), (Mixup(),), ALL):
        read.append([])
        recipe = Recipe.of(epochs=2, frozen_layers=1, joint_epochs=0, augment=augment, keep_rule_spans=True)
        fitted.append(RuleNetClassifier(rules, tiny_encoder, recipe=recipe).fit(texts, labels))
    assert [train.layers for train, _ in met] == [1, 1, 0]
    assert [held_out.layers for _, held_out in met] == [1, 1, 0]
    assert read[:2] == [[], []]
    train, held_out = met[2]
    assert sorted(read[2]) == sorted([*train.texts] * 2)  # each text once in each epoch, and none that is held out
    assert not set(read[2]) & set(held_out.texts)
    first, mixed, words = (clf.predictor_.hybrid for clf in fitted)
    np.testing.assert_array_equal(first.weights.coef, words.weights.coef)
    assert len({float(hybrid.psi.from_text.weight.detach().sum()) for hybrid in (first, mixed, words)}) == 3
    with pytest.warns(UserWarning, match="augment changed nothing, as no epochs followed"):
        RuleNetClassifier(None, tiny_encoder, recipe=recipe.with_changes(epochs=0)).fit(texts, labels)
    fitted[2].save(tmp_path / "model")
    assert RuleNetClassifier.load(tmp_path / "model").recipe_ == fitted[2].recipe_


def test_a_recipe_keeps_augmentations() -> None:
    recipe = Recipe.of(augment=[TokenDropout(0.2), Mixup()], keep_rule_spans=True)
    assert recipe.augment == (TokenDropout(0.2), Mixup())
    assert eval(repr(recipe)) == recipe == Recipe.from_dict(recipe.to_dict())
    assert (recipe.reads_pieces, Recipe.of(augment=[Mixup()]).reads_pieces) == (True, False)
    foreign = {**Recipe().to_dict(), "augment": [{"kind": "Mine", "q": 3}]}
    stored = Recipe.from_dict(foreign)
    assert stored.to_dict()["augment"] == foreign["augment"]
    with pytest.raises(ParameterError, match="the augmentation 'Mine' is not part of rulenet"):
        stored.augment[0].prepare(WordFinder())
    for wrong, message in ((0, "p=0 should be greater than 0"), (1.0, "less than 1"), ("x", "a number")):
        with pytest.raises(ParameterError, match=message):
            TokenDropout(wrong)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"augment.*'dropout' should be an augmentation"):
        Recipe.of(augment=["dropout"])

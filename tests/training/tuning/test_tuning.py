"""Every way to tune an encoder: what it trains, what is left of it when training ends, and which encoders it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("peft")

from rulenet import Recipe, RuleNetClassifier  # noqa: E402
from rulenet.base import extras  # noqa: E402
from rulenet.errors import EncoderError, MissingExtraError, ParameterError  # noqa: E402
from rulenet.training import loop  # noqa: E402
from rulenet.training import run as run_module  # noqa: E402
from rulenet.training.checkpoint import Checkpoint, identity_of  # noqa: E402
from rulenet.training.tuning import BiasOnly, LoRA, SoftPrompt  # noqa: E402
from tests.breaking import before_call, raising  # noqa: E402
from tests.training.runs import TARGET, TEXTS, state, train_run  # noqa: E402

FEW = Recipe.of(epochs=3, batch_texts=8, max_length=32, joint_epochs=1, precision="float32", word_vectors=None)
# The weights that each changes in the end.
TUNINGS = {
    "lora": (LoRA(r=2, lora_targets="attention"), ("attention.self.query.weight", "attention.self.value.weight")),
    "lora everywhere": (LoRA(r=2, lora_dropout=0.2), ("query.weight", "key.weight", "value.weight", "dense.weight")),
    "soft prompt": (SoftPrompt(3), ("word_embeddings.weight",)),
    "bias only": (BiasOnly(), ("bias",)),
}  # fmt: skip


def begun(run: dict[str, Any], tuning: Any) -> dict[str, Any]:
    """A run whose encoder has been made ready for a tuning."""
    psi, train = run["psi"], run["train"]
    tuning.begin(psi.encoder)
    return {**run, "train": replace(train, rows=psi.encoder.encode(train.texts))}


@pytest.mark.parametrize("name", TUNINGS)
def test_it_trains_what_it_says_and_leaves_an_ordinary_encoder(make: Callable[..., Any], name: str) -> None:
    tuning, ends = TUNINGS[name]
    run = begun(make(dropout=0.0), tuning)
    psi, train = run["psi"], run["train"]
    before = {key: value.clone() for key, value in psi.state_dict().items()}
    # Judged with adapters beside the matrices; afterwards they are in them.
    judged: list[Any] = []
    evaluate = loop.evaluate
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            loop, "evaluate", lambda *of: (judged.append(psi.hidden(train.rows, device="cpu")), evaluate(*of))[1]
        )
        outcome = train_run(run, FEW.with_changes(tune=tuning, learning_rate=1e-2), train)
    after = psi.state_dict()
    assert {key: value.shape for key, value in after.items()} == {key: value.shape for key, value in before.items()}
    moved = {key for key, value in after.items() if not torch.equal(value, before[key])}
    assert all(key.endswith(ends) for key in moved if key.startswith("body."))
    assert len(moved) > 2
    assert outcome.train_loss[1] < outcome.train_loss[0]
    assert 0 < outcome.trained_share["without_embeddings"] < 0.25
    h = psi.hidden(train.rows, device="cpu")
    np.testing.assert_allclose(h, judged[outcome.best_epoch - 1], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lora everywhere", "soft prompt"])
def test_a_run_goes_on_to_the_same_weights(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    recipe = FEW.with_changes(tune=TUNINGS[name][0])

    def train(resume: bool = False) -> dict[str, Any]:
        run = begun(make(), recipe.tune)
        kept = Checkpoint(tmp_path, identity_of([], {}, {}, recipe.to_dict()), resume)
        train_run(run, recipe, run["train"].take(np.arange(0, 40, 3)), kept)
        return state(run)

    whole = train()
    with monkeypatch.context() as patch:
        patch.setattr(loop, "train_step", before_call(8, loop.train_step, raising(OSError("broken off"))))
        patch.setattr(run_module, "SECONDS", 0.0)
        with pytest.raises(OSError, match="broken off"):
            train()
    assert all(torch.equal(value, whole[key]) for key, value in train(resume=True).items())


@pytest.mark.slow
@pytest.mark.parametrize("name", TUNINGS)
def test_the_model_is_saved_loaded_and_explained(tiny_encoder: str, tmp_path: Path, name: str) -> None:
    recipe = FEW.with_changes(tune=TUNINGS[name][0], learning_rate=1e-2)
    labels = np.where(TARGET[:, 0] > 0, "money", "sport")
    clf = RuleNetClassifier(None, tiny_encoder, recipe=recipe, random_state=0).fit(TEXTS * 2, [*labels, *labels])
    assert 0 < clf.report_["trained_share"]["encoder"] < 0.2
    clf.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    np.testing.assert_allclose(twin.decision_function(TEXTS), clf.decision_function(TEXTS), atol=1e-5)
    assert twin.recipe_.tune == recipe.tune
    (told,) = twin.explain(["the goal"], tokens=True)
    assert [(token.start, token.end) for token in told.tokens] == [(0, 3), (4, 8)]  # no piece of a prompt
    for label, logit in told.logits.items():
        sum_of_terms = sum(term.contributions.get(label, 0.0) for term in told.terms)
        assert told.bias[label] + sum_of_terms + told.neural[label] == pytest.approx(logit, abs=1e-4)


@pytest.mark.slow
def test_a_prompt_is_exported_with_the_encoder(tiny_encoder: str) -> None:
    pytest.importorskip("onnxscript")
    labels = np.where(TARGET[:, 0] > 0, "money", "sport")
    recipe = FEW.with_changes(tune=SoftPrompt(3), learning_rate=1e-2, epochs=1)
    clf = RuleNetClassifier(None, tiny_encoder, recipe=recipe, random_state=0).fit([*TEXTS] * 2, [*labels] * 2)
    before = clf.decision_function(TEXTS)
    clf.export()
    np.testing.assert_allclose(clf.decision_function(TEXTS), before, atol=1e-3)


def test_a_prompt_begins_as_the_mask_piece(make: Callable[..., Any]) -> None:
    encoder = make()["psi"].encoder
    SoftPrompt(3).begin(encoder)
    row, mask = encoder.encode(["goal"])[0], encoder.tokenizer.token_to_id("[MASK]")
    table = encoder.model.get_input_embeddings().weight
    assert len({int(piece) for piece in row[1:4]} - {mask}) == 3
    assert torch.equal(table[torch.as_tensor(row[1:4].tolist())], table[[mask] * 3])


def test_what_cannot_be_tuned_is_refused_before_any_work(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for tuning in (LoRA(), BiasOnly(), SoftPrompt()):
        with pytest.raises(
            ParameterError, match=rf"tune={tuning.__class__.__name__}\(\) .* encoder='scratch' knows nothing"
        ):
            RuleNetClassifier(encoder="scratch", recipe=Recipe.of(tune=tuning)).fit(["a"], ["b"])
    encoder = make()["psi"].encoder
    for layer in encoder.model.encoder.layer:
        layer.attention.self.asked = layer.attention.self.query
        del layer.attention.self.query
    with pytest.raises(EncoderError, match=r"not built like BERT: .* query and value .* use tune=Full\(\)"):
        LoRA().begin(encoder)
    with pytest.raises(EncoderError, match=r"prompt_tokens=17 is more than half of the 32 word pieces"):
        SoftPrompt(17).begin(encoder)
    encoder.model = torch.nn.Embedding(3, 2)
    with pytest.raises(EncoderError, match=r"has no biases"):
        BiasOnly().begin(encoder)
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"tune=LoRA\(\) needs .* pip install 'rulenet\[peft\]'"):
        LoRA().check()

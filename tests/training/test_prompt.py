"""Prompts: what a masked language model is asked, what its answers teach, and what does not go with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet import Recipe, RuleNetClassifier, RuleSet  # noqa: E402
from rulenet.errors import ParameterError  # noqa: E402
from rulenet.model.encoders.load import load_encoder  # noqa: E402
from rulenet.model.psi import Psi  # noqa: E402
from rulenet.training.prompt import Prompt  # noqa: E402

ASKS = Prompt("{text} a {mask} film", {"sport": ["good", "win"], "money": "bad"})
TEXTS = ["the goal", "win the match", "a goal a win", "oil price", "the bank", "stock market"] * 5
LABELS = (["sport"] * 3 + ["money"] * 3) * 5


@pytest.fixture(scope="module")
def asked(tiny_encoder: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a BERT with its masked-LM head, which has learned the label words of a few texts."""
    from transformers import AutoModel, AutoTokenizer, BertForMaskedLM

    torch.manual_seed(0)
    tokenizer, model = (
        AutoTokenizer.from_pretrained(tiny_encoder),
        BertForMaskedLM(AutoModel.from_pretrained(tiny_encoder).config),
    )
    fitting = [("good", "win")] * 3 + [("bad",)] * 3
    pairs = [(text, word) for text, words in zip(TEXTS, fitting, strict=False) for word in words]
    given = tokenizer([f"{text} a {word} film" for text, word in pairs], padding=True, return_tensors="pt")
    rows, places = torch.arange(len(pairs)), given["attention_mask"].sum(1) - 3
    wanted = given["input_ids"][rows, places].clone()
    given["input_ids"][rows, places] = tokenizer.convert_tokens_to_ids("[MASK]")
    optimizer = torch.optim.Adam(model.eval().parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(**given).logits[rows, places], wanted).backward()
        optimizer.step()
    folder = str(tmp_path_factory.mktemp("asked"))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_the_scores_are_those_of_the_whole_model(asked: str) -> None:
    from transformers import BertForMaskedLM

    encoder = load_encoder(asked, texts=[], max_length=16, seed=0)
    texts = ["the goal", "win the match", "oil " * 50, ""]
    found = ASKS.ask(Psi(encoder, 2, bound=None, dropout=0.1).train(), texts)
    model, ids = BertForMaskedLM.from_pretrained(asked).eval(), encoder.tokenizer.token_to_id
    for text, scores in zip(texts, found, strict=True):
        pieces = [ids(word) for word in text.split()[:11]]  # of a long one, what leaves room for the template
        row = [2, *pieces, ids("a"), 4, ids("film"), 3]
        with torch.inference_mode():
            log_p = model(torch.tensor([row])).logits[0, len(pieces) + 2].log_softmax(0)
        expected = [float(log_p[[ids("good"), ids("win")]].mean()), float(log_p[ids("bad")])]
        np.testing.assert_allclose(scores, expected, atol=1e-4)
    assert (found[:3].argmax(axis=1) == [0, 0, 1]).all()


@pytest.mark.slow
def test_without_labels_its_answers_are_what_is_learned(asked: str, tmp_path: Path) -> None:
    def fitted(**fields: Any) -> RuleNetClassifier:
        recipe = Recipe.of(prompt=ASKS, max_length=32, word_vectors=None, **fields)
        return RuleNetClassifier(None, asked, recipe=recipe, random_state=0)

    clf = fitted().fit(TEXTS)
    assert clf.predict(TEXTS).tolist() == LABELS
    assert clf.report_["teaching"]["trusted"] > 0
    assert clf.report_["n_texts"] == 0
    clf.save(tmp_path / "model")
    loaded = RuleNetClassifier.load(tmp_path / "model")
    assert (loaded.recipe_, loaded.predict(TEXTS[:4]).tolist()) == (clf.recipe_, LABELS[:4])
    np.testing.assert_array_equal(fitted().fit(TEXTS).predict_proba(TEXTS), clf.predict_proba(TEXTS))
    e = clf.explain(TEXTS[:1])[0]
    total = {k: e.bias[k] + sum(term.contributions[k] for term in e.terms) + e.neural[k] for k in e.logits}
    assert total == pytest.approx(e.logits, abs=1e-4)
    # Labels that say the opposite count more than guesses, also where tuning follows.
    swapped = ["money" if label == "sport" else "sport" for label in LABELS]
    against = fitted(epochs=1).fit(TEXTS, swapped, unlabeled=["a team", "the market"])
    assert against.predict(TEXTS).tolist() == swapped
    assert against.report_["epochs"] == 1


RULES = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: sport, word: goal}, {id: b, label: money, word: oil}]}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": None}, r"^prompt: encoder=None has no masked-LM head; say what labels mean with descriptions="),
        ({"encoder": "scratch"}, "encoder='scratch' has no masked-LM head"),
        ({"encoder": "tiny"}, "^prompt: encoder='.*' has no masked-LM head; say"),
        ({"rules": RULES}, "^prompt: rules label texts without a label themselves: leave out one of the two$"),
        ({"classes": ["sport", "money", "art"]}, "^prompt: label 'art' has no words$"),
        (
            {"y": ["sport", "monny"] * 15},
            "^prompt: label 'monny' has no words; it labels texts without a label, and there are none",
        ),
        ({"words": {"sport": "good", "money": "wonderful"}}, "'wonderful' is no single word piece of encoder"),
    ],
)
def test_what_does_not_go_with_it_is_one_clear_line(
    asked: str, tiny_encoder: str, options: dict[str, Any], message: str
) -> None:
    prompt = Prompt(ASKS.template, options.get("words", ASKS.words))
    encoder = {"tiny": tiny_encoder}.get(options.get("encoder", ""), options.get("encoder", asked))
    more = {name: options[name] for name in ("rules", "classes") if name in options}
    clf = RuleNetClassifier(encoder=encoder, recipe=Recipe.of(prompt=prompt, word_vectors=None), **more)
    with pytest.raises(ParameterError, match=message):
        clf.fit(TEXTS, options.get("y"))


@pytest.mark.parametrize(
    ("template", "words", "message"),
    [
        ("{text} is", {"a": "x", "b": "y"}, r"template='\{text\} is' should have \{text\} and \{mask\} once each"),
        ("{text} {mask}", {"a": "x", "b": ["y", "x"]}, "words='x' should stand once, for one label"),
        ("{text} {mask}", {"a": "x"}, "words.* should have at least 2"),
        ("{text} {mask}", {"a": "x", "b": []}, "words.b=.* at least 1"),
    ],
)  # fmt: skip
def test_a_prompt_that_cannot_ask_is_refused(template: str, words: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Prompt(template, words)
    recipe = Recipe.of(prompt=ASKS)
    assert eval(repr(recipe)) == recipe == Recipe.from_dict(recipe.to_dict())

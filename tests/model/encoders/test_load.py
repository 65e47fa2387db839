"""Encoders by name: what each source gives, and what a new one may change."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from rulenet import Recipe, RuleNetClassifier  # noqa: E402
from rulenet.errors import EncoderError  # noqa: E402
from rulenet.model.encoders import load  # noqa: E402
from rulenet.model.encoders.encoder import Body, Traits  # noqa: E402
from rulenet.model.encoders.hub import read_body  # noqa: E402
from rulenet.model.encoders.load import check_encoder, load_encoder  # noqa: E402
from rulenet.model.encoders.source import Source, Wanted  # noqa: E402


def test_an_encoder_that_cannot_be_loaded_says_what_to_pass() -> None:
    for name in ("no-such-org/no-such-model", "/no/such/folder"):
        with pytest.raises(EncoderError, match=r"cannot be loaded.*'minilm' \(embedded\), 'e5' .*'scratch'"):
            load_encoder(name, texts=[], max_length=32, seed=0)


def test_a_folder_with_a_pickle_for_weights_is_refused(
    tiny_encoder: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("pickled") / "encoder"
    shutil.copytree(tiny_encoder, folder)
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(EncoderError, match=r"model\.safetensors"):
        load_encoder(str(folder), texts=[], max_length=32, seed=0)


@pytest.mark.parametrize("texts", [["手机坏了", "手机很好"], ["good film", "bad film"]])
def test_an_encoder_from_scratch_reads_any_language(texts: list[str]) -> None:
    encoder = load_encoder("scratch", texts=texts * 3, max_length=32, seed=0)
    first, second = map(list, encoder.encode(texts))
    unknown = encoder.tokenizer.token_to_id("[UNK]")
    assert unknown not in first + second
    assert first != second


def test_scratch_is_the_same_for_the_same_seed() -> None:
    models = [
        load_encoder("scratch", texts=["good film"] * 2, max_length=16, seed=seed).model.state_dict()
        for seed in (0, 0, 1)
    ]
    key = "embeddings.word_embeddings.weight"
    assert torch.equal(models[0][key], models[1][key])
    assert not torch.equal(models[0][key], models[2][key])


@pytest.mark.parametrize(
    ("name", "traits"),
    [
        ("folder", Traits(can_split=True)),
        ("scratch", Traits(pretrained=False, learning_rate=1e-3, epochs=10, can_mask=True)),
        pytest.param(
            "minilm", Traits(can_split=True, can_mask=True, pooling="unit", contrast_steps=20), marks=pytest.mark.slow
        ),
    ],
)
def test_what_is_known_of_each_source(tiny_encoder: str, name: str, traits: Traits) -> None:
    name = tiny_encoder if name == "folder" else name
    assert load_encoder(name, texts=["good film"] * 2, max_length=16, seed=0).traits == traits


def test_e5_models_get_the_word_that_they_were_trained_with(tiny_encoder: str, tmp_path: Path) -> None:
    for name, known, prefix in (
        ("multilingual-e5-small", None, "query: "),
        ("models--intfloat--multilingual-e5-base/snapshots/abc", None, "query: "),
        ("mine", "intfloat/e5-small-v2", "query: "),
        ("e5-small-news", None, ""),
        ("multilingual-e5-large-instruct", None, ""),  # wants another one
    ):
        shutil.copytree(tiny_encoder, tmp_path / name)
        config = tmp_path / name / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "_name_or_path": known}))
        assert read_body(str(tmp_path / name), "e").traits.prefix == prefix, name


@pytest.fixture
def toy(tiny_encoder: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A source that wants "film: " before each text and reads the first state, as it may be added in one file."""

    def read(wanted: Wanted) -> Body:
        body = read_body(tiny_encoder, wanted.name)
        return dataclasses.replace(body, traits=dataclasses.replace(body.traits, pooling="first", prefix="film: "))

    monkeypatch.setattr(load, "SOURCES", (Source("toy", read), *load.SOURCES))
    return "toy"


def test_a_prefix_is_read_before_each_text_and_has_no_place_in_it(toy: str, tiny_encoder: str) -> None:
    for long_texts in ("head", "head_tail", "chunks"):
        options = {"texts": [], "max_length": 16, "seed": 0, "long_texts": long_texts}
        encoder, plain = (load_encoder(name, **options) for name in (toy, tiny_encoder))  # type: ignore[arg-type]
        film = plain.encode(["film: "])[0][:-1].tolist()
        assert encoder.encode(["oil price"])[0].tolist() == [*film, *plain.encode(["oil price"])[0][1:]]
        for text in ("oil price", f"goal {'oil ' * 10_000}bank"):
            pieces, places = encoder.encode_with_offsets([text])[0]
            assert pieces == encoder.encode([text])[0].tolist()
            assert places[: len(film)] == [(0, 0)] * len(film)
            found = [text[start:end] for start, end in places if end > start]
            assert found[0] == text.split()[0]
            assert set(found) <= set(text.split())
            assert long_texts != "head_tail" or found[-1] == text.split()[-1]


@pytest.mark.slow
def test_prefix_and_pooling_are_kept_by_saved_and_exported_models(toy: str, tmp_path: Path) -> None:
    texts, labels = ["the goal", "win the match", "oil price", "the bank"] * 12, [1, 1, 0, 0] * 12
    clf = RuleNetClassifier(None, toy, recipe=Recipe.of(epochs=1, max_length=16)).fit(texts, labels)
    clf.save(tmp_path / "model")
    loaded = RuleNetClassifier.load(tmp_path / "model")
    assert loaded.predictor_.hybrid.psi.encoder.traits == Traits(pooling="first", prefix="film: ")
    np.testing.assert_array_equal(loaded.predict_proba(texts[:4]), clf.predict_proba(texts[:4]))
    token_sum = clf.explain(texts[:1], tokens=True)[0].tokens
    assert token_sum is not None
    clf.export()
    np.testing.assert_allclose(clf.predict_proba(texts[:4]), loaded.predict_proba(texts[:4]), atol=1e-4)
    clf.save(tmp_path / "fast")
    again = RuleNetClassifier.load(tmp_path / "fast")
    np.testing.assert_array_equal(again.predict_proba(texts[:4]), clf.predict_proba(texts[:4]))


def test_a_misspelt_encoder_is_recognised_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the network, and before φ: known names, folders, siblings of folders."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "other").mkdir()
    for name in ("bare", "light", "damaged"):
        (tmp_path / name).mkdir()
    whole = ("config.json", "tokenizer.json", "model.safetensors")
    for name in (*(f"mine/{file}" for file in whole), "bare/config.json", *(f"light/{file}" for file in whole[:2])):
        (tmp_path / name).write_text("{}")
    for file in whole:
        (tmp_path / "damaged" / file).write_text('{"cut')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", None)
    for name, said in {
        **dict.fromkeys(("minillm", "MiniLM", "mini-lm", "minlm", "all-MiniLM-L6-v2"), r"\(did you mean 'minilm'\?\)"),
        **dict.fromkeys(("scrach", "Scratch", "from-scratch"), r"\(did you mean 'scratch'\?\)"),
        **dict.fromkeys(("None", "nome"), r"\(did you mean 'none'\?\)"),
        **dict.fromkeys(("./no", "/no/such/folder", "~/no", "a b"), "there is no such folder"),
        f"{tmp_path}/mime": r"no such folder \(did you mean '.*mine'\?\)",
        "other": "there is no config.json in this folder",
        "bare": r"there is no tokenizer \(tokenizer.json\) in this folder",
        "light": "there is no model.safetensors in this folder",
        "damaged": "config.json is damaged",
    }.items():
        with pytest.raises(EncoderError, match=f"{said}.* Encoders that need no network: 'minilm'"):
            check_encoder(name)
        with pytest.raises(EncoderError, match=said):
            RuleNetClassifier(None, name).fit(["a", "b"], ["x", "y"])
    for name in ("minilm", "scratch", "mine"):
        check_encoder(name)


def test_a_name_that_the_hub_does_not_have_is_found_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("bert-base-uncasd", "org/name"):
        with pytest.raises(
            EncoderError,
            match=rf"encoder '{name}' cannot be loaded: it is not on this machine, .* If this machine is offline, pass",
        ):
            check_encoder(name)

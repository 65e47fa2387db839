"""rulenet.store.read: what load refuses, and that it runs nothing of what it reads."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rulenet import RuleNetClassifier, RuleSet
from rulenet.errors import ModelFileError
from rulenet.store import history
from rulenet.store.manifest import PHI_PARTS, PSI_PARTS, check_target
from rulenet.store.report import ReportEntry
from rulenet.training.report import Report
from tests.breaking import Marker
from tests.store.conftest import LABELS, RULES, TEXTS
from tests.store.folders import config_of, files, forge, forge_json, forge_tensors, part, write_config


def test_one_changed_byte_is_refused(hybrid_folder: Path) -> None:
    file = part(hybrid_folder, "rules.yaml")
    content = bytearray(file.read_bytes())
    content[-2] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelFileError, match=rf"{file.name} is not the file that was saved"):
        RuleNetClassifier.load(hybrid_folder)


@pytest.mark.parametrize("name", [*PHI_PARTS, *PSI_PARTS])
def test_a_pickle_is_refused_and_not_opened(hybrid_folder: Path, tmp_path: Path, name: str) -> None:
    content = pickle.dumps(Marker(tmp_path / "executed"))
    part(hybrid_folder, name).write_bytes(content)
    with pytest.raises(ModelFileError, match=r"checksum differs"):
        RuleNetClassifier.load(hybrid_folder)
    forge(hybrid_folder, name, content)
    with pytest.raises(ModelFileError, match=r"cannot be read|is not JSON|is not UTF-8"):
        RuleNetClassifier.load(hybrid_folder)
    assert not (tmp_path / "executed").exists()
    pickle.loads(content)  # the trap works
    assert (tmp_path / "executed").exists()


def test_a_pickled_config_is_refused_and_not_opened(phi_folder: Path, tmp_path: Path) -> None:
    (phi_folder / "config.json").write_bytes(pickle.dumps(Marker(tmp_path / "executed")))
    with pytest.raises(ModelFileError, match=r"config\.json is not JSON"):
        RuleNetClassifier.load(phi_folder)
    assert not (tmp_path / "executed").exists()


UNSAFE: list[dict[str, Any]] = [
    {"auto_map": {"AutoModel": "modeling.Evil"}},
    {"attn_implementation": "kernels-community/evil"},
    {"_attn_implementation": "kernels-community/evil"},
    {"quantization_config": {"quant_method": "gptq"}},
    {"_name_or_path": "org/evil"},
    {"text_config": {"auto_map": {"AutoModel": "modeling.Evil"}}},
    {"parts": [{"use_pretrained_backbone": True}]},
]


@pytest.mark.parametrize("entry", UNSAFE, ids=lambda entry: next(iter(entry)))
def test_an_encoder_config_that_names_code_is_refused(hybrid_folder: Path, entry: dict[str, Any]) -> None:
    (hybrid_folder / "parts/modeling.py").write_text("raise SystemExit('executed')")
    with pytest.raises(ModelFileError, match=r"parts/modeling\.py does not belong to the model"):
        RuleNetClassifier.load(hybrid_folder)
    (hybrid_folder / "parts/modeling.py").unlink()
    forge_json(hybrid_folder, "encoder.json", **entry)
    with pytest.raises(
        ModelFileError, match=r"parts/encoder-\w+\.json: '\w+' is not allowed in the settings of an encoder"
    ):
        RuleNetClassifier.load(hybrid_folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "no-such-model"}, r"model_type 'no-such-model' is none of albert, bert"),
        ({"model_type": None}, r"model_type None is none of"),
        ({"hidden_size": 32}, r"the weights do not fit encoder\.json"),
        ({"hidden_size": 10**7}, r"the encoder cannot be read"),
        ({"vocab_size": 10**13}, r"vocab_size has a value that no encoder needs"),
        ({"num_hidden_layers": 500}, r"more layers than there are weights"),
        ({"num_hidden_layers": 1}, r"the weights do not fit encoder\.json"),
        ({"num_attention_heads": "x"}, r"the encoder cannot be read"),
        ({"hidden_act": "os.system"}, r"the encoder cannot be read"),
    ],
)
def test_an_encoder_config_that_does_not_fit_is_refused(
    hybrid_folder: Path, changes: dict[str, Any], message: str
) -> None:
    forge_json(hybrid_folder, "encoder.json", **changes)
    with pytest.raises(ModelFileError, match=message):
        RuleNetClassifier.load(hybrid_folder)


def poison(name: str, value: float = np.nan) -> Callable[[dict[str, Any]], None]:
    def change(tensors: dict[str, Any]) -> None:
        tensors[name] = tensors[name].copy()
        tensors[name].flat[0] = value

    return change


def cut(name: str) -> Callable[[dict[str, Any]], None]:
    def change(tensors: dict[str, Any]) -> None:
        tensors[name] = np.ascontiguousarray(tensors[name][:-1])

    return change


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    def change(tensors: dict[str, Any]) -> None:
        del tensors[name]

    return change


def add(name: str) -> Callable[[dict[str, Any]], None]:
    def change(tensors: dict[str, Any]) -> None:
        tensors[name] = np.zeros(1, dtype=np.float32)

    return change


def shares(shared: float, like: int, n: int = 0) -> Callable[[dict[str, Any]], None]:
    """As if φ had been learned with word vectors, with `n` terms fewer than it has."""

    def change(tensors: dict[str, Any]) -> None:
        terms = len(tensors["idf"]) - n
        tensors["shared"] = np.full((terms, tensors["coef"].shape[1]), shared, dtype=np.float16)
        tensors["like"] = np.full((terms, 2), like, dtype=np.int32)

    return change


WORDS = "embeddings.word_embeddings.weight"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("phi.safetensors", poison("coef"), r"phi\.safetensors has weights that are NaN, infinite or impossible"),
        ("phi.safetensors", poison("bias", np.inf), r"phi\.safetensors has weights that are NaN, infinite or impossible"),
        ("phi.safetensors", poison("idf"), r"phi\.safetensors has weights that are NaN, infinite or impossible"),
        ("phi.safetensors", cut("coef"), r"weights of shape \(\d+, 2\), \(2,\) and \(\d+,\) do not fit \d+ columns, 2 labels"),
        ("phi.safetensors", cut("bias"), r"weights of shape .* \(1,\) and"),
        ("phi.safetensors", cut("idf"), r"do not fit"),
        ("phi.safetensors", drop("idf"), r"phi-\w+\.safetensors cannot be read: 'idf'"),
        ("phi.safetensors", add("shared"), r"phi-\w+\.safetensors cannot be read: 'like'"),
        ("phi.safetensors", shares(np.nan, 0), r"terms share what is impossible"),
        ("phi.safetensors", shares(1.0, 10_000), r"terms share what is impossible"),
        ("phi.safetensors", shares(1.0, -1, n=1), r"do not fit \d+ terms"),
        ("head.safetensors", poison("from_text.weight"), r"weights that are NaN"),
        ("head.safetensors", cut("from_text.bias"), r"the encoder cannot be read"),
        ("head.safetensors", drop("from_phi.weight"), r"head\.safetensors lacks or adds from_phi\.weight"),
        ("head.safetensors", add("extra"), r"head\.safetensors lacks or adds extra"),
        ("encoder.safetensors", poison(WORDS), r"weights that are NaN"),
        ("encoder.safetensors", cut(WORDS), r"the weights do not fit encoder\.json"),
        ("encoder.safetensors", drop(WORDS), r"the weights do not fit encoder\.json"),
        ("encoder.safetensors", add("extra"), r"the weights do not fit encoder\.json"),
    ],
)  # fmt: skip
def test_weights_that_are_wrong_are_refused(
    hybrid_folder: Path, name: str, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    forge_tensors(hybrid_folder, name, change)
    with pytest.raises(ModelFileError, match=message):
        RuleNetClassifier.load(hybrid_folder)


def scalar(name: str) -> Callable[[dict[str, Any]], None]:
    def change(tensors: dict[str, Any]) -> None:
        tensors[name] = np.array(0)

    return change


def as_type(name: str, dtype: type) -> Callable[[dict[str, Any]], None]:
    def change(tensors: dict[str, Any]) -> None:
        tensors[name] = tensors[name].astype(dtype)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (poison("phi"), "has logits or labels that are impossible"),
        (poison("psi", np.inf), "has logits or labels that are impossible"),
        (poison("y", 2), "has logits or labels that are impossible"),
        (poison("y", -2), "has logits or labels that are impossible"),
        (as_type("y", np.float64), "has logits or labels that are impossible"),
        (as_type("phi", np.int64), "has logits or labels that are impossible"),
        (cut("y"), r"arrays of shape \(6, 2\), \(6, 2\) and \(5,\) do not fit 2 labels"),
        (cut("psi"), "do not fit 2 labels"),
        (scalar("y"), "do not fit 2 labels"),
        (drop("phi"), r"held_out-\w+\.safetensors cannot be read"),
    ],
)
def test_held_out_texts_that_are_wrong_are_refused(
    phi: RuleNetClassifier, tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    phi.with_rules(RULES).calibrate(TEXTS, LABELS).save(tmp_path / "model")
    forge_tensors(tmp_path / "model", "held_out.safetensors", change)
    with pytest.raises(ModelFileError, match=message):
        RuleNetClassifier.load(tmp_path / "model")


@pytest.mark.parametrize(("dtype", "size"), [("BF16", 2), ("F8_E4M3", 1)])
def test_weights_of_a_type_that_numpy_lacks_are_refused(phi_folder: Path, dtype: str, size: int) -> None:
    header = json.dumps({"coef": {"dtype": dtype, "shape": [1], "data_offsets": [0, size]}}).encode()
    forge(phi_folder, "phi.safetensors", len(header).to_bytes(8, "little") + header + b"\0" * size)
    with pytest.raises(ModelFileError, match=r"phi-\w+\.safetensors cannot be read"):
        RuleNetClassifier.load(phi_folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"terms": ["film", "film"]}, r"vocabulary-\w+\.json: : Value error, a term is listed twice"),
        ({"terms": None}, r"vocabulary-\w+\.json: terms: Input should be a valid list"),
        ({"terms": ["film", 3]}, r"vocabulary-\w+\.json: terms\.1: Input should be a valid string"),
        ({"terms": ["film"]}, r"do not fit 3 columns, 2 labels and 1 terms"),
        ({"words": "abc"}, r"vocabulary-\w+\.json: words: Input should be a valid list"),
        ({"code": []}, r"vocabulary-\w+\.json: code: Extra inputs"),
    ],
)
def test_a_vocabulary_that_is_wrong_is_refused(phi_folder: Path, changes: dict[str, Any], message: str) -> None:
    forge_json(phi_folder, "vocabulary.json", **changes)
    with pytest.raises(ModelFileError, match=message):
        RuleNetClassifier.load(phi_folder)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"phi": {"C": -1}}, r"recipe: C=-1 should be greater than 0"),
        ({"C": "3"}, r"model: "),
        ({"learn": 1}, r"recipe: unknown field 'learn'"),
        ({"columns": {"ngram_range": [1, 2, 3]}}, r"ngram_range"),
        ({"columns": {"ngram_range": 3}}, r"ngram_range"),
        ({"min_df": [1]}, r"model: "),
    ],
)
def test_a_recipe_that_is_wrong_is_refused(phi_folder: Path, recipe: dict[str, Any], message: str) -> None:
    config = config_of(phi_folder)
    config["recipe"].update(recipe)
    write_config(phi_folder, config)
    with pytest.raises(ModelFileError, match=message):
        RuleNetClassifier.load(phi_folder)


def test_rules_that_are_wrong_are_refused(phi_folder: Path) -> None:
    forge(phi_folder, "rules.yaml", b"rulenet: 1\nrules: []\n")
    with pytest.raises(ModelFileError, match=r"model: 1 fault in .*rules\.yaml"):
        RuleNetClassifier.load(phi_folder)
    forge(phi_folder, "rules.yaml", b"rulenet: 1\nrules: [{id: a, label: pos, word: b}]\n")
    with pytest.raises(ModelFileError, match=r"do not fit"):
        RuleNetClassifier.load(phi_folder)


TOKENIZERS: list[tuple[dict[str, Any], str]] = [
    ({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": False}}, r"expression"),
    ({"normalizer": {"type": "Replace", "pattern": {"Regex": "(a|a)*b"}, "content": ""}}, r"the regular expression"),
    ({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Odd"}]}}, r"the pre_tokenizer of type 'Odd' is not allowed"),
    ({"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[X]", "type_id": 0}}], "pair": [],
                         "special_tokens": {}}}, r"adds a piece that it does not name"),
    ({"model": {"type": "WordPiece", "vocab": {"[UNK]": 10**6}, "unk_token": "[UNK]"}}, r"none of the [\d,]+ word pieces"),
    ({"model": {"type": "WordPiece", "vocab": {"[UNK]": 1}, "max_input_chars_per_word": 10**9}}, r"no encoder needs"),
    ({"model": {"type": "BPE", "vocab": {"a": 1}, "merges": [], "dropout": 0.5}}, r"at random"),
    ({"model": {"type": "Script"}}, r"the model of type 'Script' is not allowed"),
    ({"code": "import os"}, r"'code' is not allowed in a tokenizer"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), TOKENIZERS)
def test_a_tokenizer_that_may_hang_or_fail_is_refused(
    hybrid_folder: Path, changes: dict[str, Any], message: str
) -> None:
    forge_json(hybrid_folder, "tokenizer.json", **changes)
    with pytest.raises(ModelFileError, match=message):
        RuleNetClassifier.load(hybrid_folder)


@pytest.mark.skipif(os.name != "posix", reason="pipes and links are POSIX")
def test_only_regular_files_are_opened(phi_folder: Path) -> None:
    """A pipe would let the reader wait forever, and a link leads out of the folder."""
    other = phi_folder.parent / "other"
    for name in ("config.json", f"parts/{part(phi_folder, 'phi.safetensors').name}"):
        content = (phi_folder / name).read_bytes()
        other.write_bytes(content)
        for make in (
            os.mkfifo,
            lambda path: path.symlink_to(other),
            lambda path: path.symlink_to("/dev/zero"),
            os.mkdir,
        ):
            (phi_folder / name).unlink()
            make(phi_folder / name)
            with pytest.raises(ModelFileError, match=r"there is no config\.json|is missing or a link"):
                RuleNetClassifier.load(phi_folder)
            with pytest.raises(ModelFileError, match=r"exists and is not a rulenet model"):
                check_target(phi_folder)
            (phi_folder / name).rmdir() if (phi_folder / name).is_dir() else (phi_folder / name).unlink()
            (phi_folder / name).write_bytes(content)
    (phi_folder / ".lock").unlink(missing_ok=True)
    os.mkfifo(phi_folder / ".lock")
    with pytest.raises(ModelFileError, match=r"\.lock does not belong to the model"):
        RuleNetClassifier.load(phi_folder)


def test_json_that_is_too_large_or_too_deep_is_refused(phi_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = (phi_folder / "config.json").read_text()
    for text in (config.replace('"recipe"', '"recipe": ' + "[" * 60 + "]" * 60 + ', "x"'), "[" * 10**6):
        (phi_folder / "config.json").write_text(text)
        with pytest.raises(ModelFileError, match=r"nested more than 40 deep|is not JSON"):
            RuleNetClassifier.load(phi_folder)
    (phi_folder / "config.json").write_text(config)
    for limit, message in (("MAX_JSON", r"larger than 100 bytes"), ("MAX_VALUES", r"more than 100 values")):
        with monkeypatch.context() as patched:
            patched.setattr(f"rulenet.store.manifest.{limit}", 100)
            with pytest.raises(ModelFileError, match=message):
                RuleNetClassifier.load(phi_folder)
    (phi_folder / "config.json").write_bytes(b"")
    os.truncate(phi_folder / "config.json", 10**12)  # no room is taken
    with pytest.raises(ModelFileError, match=r"larger than 500,000,000 bytes"):
        RuleNetClassifier.load(phi_folder)


def test_the_schema_of_a_report_has_the_fields_of_a_report() -> None:
    added = {"cascade", "calibration", "refresh_calibration", "edits", "soup"}
    assert ReportEntry.__annotations__.keys() == {field.name for field in dataclasses.fields(Report)} | added


def test_a_pad_that_is_no_word_piece_is_refused(hybrid_folder: Path) -> None:
    config = config_of(hybrid_folder)
    config["encoder"]["pad_id"] = 10**9
    write_config(hybrid_folder, config)
    with pytest.raises(ModelFileError, match=r"pad_id 1000000000 is not a word piece of the encoder"):
        RuleNetClassifier.load(hybrid_folder)


def test_rules_of_a_model_cannot_include_files(phi_folder: Path) -> None:
    (phi_folder.parent / "more.yaml").write_text(RULES.source)
    forge(phi_folder, "rules.yaml", b"{rulenet: 1, include: [../more.yaml], rules: [{id: a, label: pos, word: b}]}")
    with pytest.raises(ModelFileError, match=r"model: 1 fault in .*rules\.yaml"):
        RuleNetClassifier.load(phi_folder)


# While others write


def save_again_within(monkeypatch: pytest.MonkeyPatch, phi: RuleNetClassifier, folder: Path, times: int) -> list[int]:
    """Have another model saved into the folder whenever rules are read, as often as this; the numbers of these models."""
    real, saved = RuleSet.from_yaml, []

    def from_yaml(text: str, *, name: str = "<string>") -> RuleSet:
        if len(saved) < times and name.startswith(str(folder)):
            saved.append(len(saved))
            phi.with_rules(real(RULES.source.replace("weight: 2", f"weight: {len(saved)}.5"))).save(folder)
        return real(text, name=name)

    monkeypatch.setattr(RuleSet, "from_yaml", from_yaml)
    return saved


def test_a_model_that_is_replaced_while_it_is_read_is_read_whole(
    phi: RuleNetClassifier, phi_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state before is kept for undo, so its parts are still there."""
    save_again_within(monkeypatch, phi, phi_folder, times=1)
    clf = RuleNetClassifier.load(phi_folder)
    assert (clf.rules, clf.predictor_.hybrid.weights.coef[1].max()) == (
        RULES,
        phi.predictor_.hybrid.weights.coef[1].max(),
    )


def test_parts_that_are_deleted_while_they_are_read_are_read_again(
    phi: RuleNetClassifier, phi_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "KEPT", 0)
    saved = save_again_within(monkeypatch, phi, phi_folder, times=3)
    clf = RuleNetClassifier.load(phi_folder)
    assert isinstance(clf.rules, RuleSet)
    assert (clf.rules.rules[1].evidence["neg"], clf.predictor_.hybrid.weights.coef[1].max(), len(saved)) == (
        3.5,
        3.5,
        3,
    )
    saved = save_again_within(monkeypatch, phi, phi_folder, times=99)
    with pytest.raises(ModelFileError, match=r"model was replaced 10 times while it was read; try again"):
        RuleNetClassifier.load(phi_folder)


def test_what_a_killed_writer_left_does_no_harm(phi: RuleNetClassifier, phi_folder: Path) -> None:
    for name in (
        "parts/phi-0123456789abcdef.safetensors",
        f"parts/.phi-0123456789abcdef.safetensors.{'a' * 32}",
        f".config.json.{'b' * 32}",
    ):
        (phi_folder / name).write_bytes(b"half")
    assert np.array_equal(RuleNetClassifier.load(phi_folder).predict_proba(TEXTS), phi.predict_proba(TEXTS))
    assert len(files(phi_folder)) == 8


def test_files_that_cannot_be_read_are_said_so(phi_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_file(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("safetensors.numpy.load_file", load_file)
    with pytest.raises(ModelFileError, match=r"model cannot be read: Permission denied"):
        RuleNetClassifier.load(phi_folder)

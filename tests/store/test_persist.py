"""rulenet.store.persist: what save writes, what load refuses, and that neither leaves half a model or runs what it reads."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.errors import ModelFileError
from rulenet.store import persist

TEXTS = ["good film", "a good story", "what a bad film", "bad acting", "good and bad", "film"]
LABELS = ["pos", "pos", "neg", "neg", "pos", "neg"]
RULES = RuleSet.from_yaml(
    """
# Comments are kept.
rulenet: 1
rules:
  - {id: praise, label: pos, word: good}
  - {id: blame, label: neg, word: bad, weight: 2}
"""
)
PHI_FILES = {"config.json", "rules.yaml", "phi.safetensors", "vocabulary.json"}
PSI_FILES = {"encoder/config.json", "encoder/tokenizer.json", "encoder/model.safetensors", "head.safetensors"}


@pytest.fixture(scope="module")
def phi() -> RuleNetClassifier:
    return RuleNetClassifier(RULES, None, recipe=Recipe.of(C=2.0)).fit(TEXTS, LABELS)


@pytest.fixture(scope="module")
def hybrid(tiny_encoder: str) -> RuleNetClassifier:
    return RuleNetClassifier(RULES, tiny_encoder, recipe=Recipe.of(epochs=1)).fit(TEXTS, LABELS)


@pytest.fixture
def phi_folder(phi: RuleNetClassifier, tmp_path: Path) -> Path:
    phi.save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def hybrid_folder(hybrid: RuleNetClassifier, tmp_path: Path) -> Path:
    hybrid.save(tmp_path / "model")
    return tmp_path / "model"


def files(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def config_of(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return data


def forge(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and its checksum, as someone would who wants it to be loaded."""
    (folder / name).write_bytes(content)
    config = config_of(folder)
    config["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def forge_json(folder: Path, name: str, **changes: Any) -> None:
    data = json.loads((folder / name).read_text(encoding="utf-8"))
    forge(folder, name, json.dumps({**data, **changes}).encode())


def forge_tensors(folder: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    tensors = safetensors.numpy.load_file(folder / name)
    change(tensors)
    forge(folder, name, safetensors.numpy.save(tensors))


class Marker:
    """Unpickling this leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


# What save writes


def test_a_model_is_exactly_these_files(phi_folder: Path) -> None:
    assert files(phi_folder) == PHI_FILES
    assert (phi_folder / "rules.yaml").read_text(encoding="utf-8") == RULES.source
    config = config_of(phi_folder)
    assert (config["protocol"], config["labels"], config["encoder"]) == (2, ["neg", "pos"], None)
    assert (config["held_out"], config["cascade"], config["cascade_risk"]) == (None, "off", 0.005)
    assert set(config["files"]) == PHI_FILES - {"config.json"}
    tensors = safetensors.numpy.load_file(phi_folder / "phi.safetensors")
    terms = json.loads((phi_folder / "vocabulary.json").read_text(encoding="utf-8"))["terms"]
    assert {name: array.shape for name, array in tensors.items()} == {
        "coef": (2 + len(terms), 2),
        "bias": (2,),
        "idf": (len(terms),),
    }
    assert os.listdir(phi_folder.parent) == ["model"]


def test_a_hybrid_has_its_encoder_and_head_beside(hybrid_folder: Path) -> None:
    assert files(hybrid_folder) == PHI_FILES | PSI_FILES
    head = safetensors.numpy.load_file(hybrid_folder / "head.safetensors")
    assert {name: array.shape for name, array in head.items()} == {
        "from_phi.weight": (2, 2),
        "from_text.bias": (2,),
        "from_text.weight": (2, 16),
    }
    settings = json.loads((hybrid_folder / "encoder/config.json").read_text(encoding="utf-8"))
    assert settings["model_type"] == "bert"
    assert "_name_or_path" not in settings


def test_without_rules_there_is_no_rule_file(tmp_path: Path) -> None:
    RuleNetClassifier(None, None).fit(TEXTS, LABELS).save(tmp_path / "model")
    assert files(tmp_path / "model") == PHI_FILES - {"rules.yaml"}


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_others_may_read_a_model_as_far_as_the_umask_lets_them(hybrid: RuleNetClassifier, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        hybrid.save(tmp_path / "model")
    finally:
        os.umask(before)
    modes = {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert modes == {"0o640"}
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o750


def test_everything_comes_back(hybrid: RuleNetClassifier, hybrid_folder: Path) -> None:
    twin = RuleNetClassifier.load(hybrid_folder, device="cpu", n_jobs=2)
    assert twin.classes_.tolist() == ["neg", "pos"]
    assert twin.classes_.dtype == hybrid.classes_.dtype
    assert (twin.recipe_, twin.report_) == (hybrid.recipe_, hybrid.report_)
    assert (twin.rules, twin.encoder, twin.language) == (RULES, hybrid.encoder, "en")
    assert (twin.device, twin.n_jobs, twin.predictor_.hybrid.features.n_jobs) == ("cpu", 2, 2)
    assert twin.explain(TEXTS)[0].terms == hybrid.explain(TEXTS)[0].terms
    twin.save(hybrid_folder.parent / "again")
    assert {n: e["sha256"] for n, e in config_of(hybrid_folder.parent / "again")["files"].items()} == {
        n: e["sha256"] for n, e in config_of(hybrid_folder)["files"].items()
    }


def test_scales_come_back(phi: RuleNetClassifier, tmp_path: Path) -> None:
    clf = phi.with_rules(RULES)
    object.__setattr__(clf.predictor_.hybrid, "phi_scale", 0.25)
    clf.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    assert np.array_equal(twin.decision_function(TEXTS), clf.decision_function(TEXTS))
    assert not np.allclose(twin.decision_function(TEXTS), phi.decision_function(TEXTS))


def test_a_recipe_of_numpy_numbers_comes_back(tmp_path: Path) -> None:
    recipe = Recipe.of(C=np.float32(2), min_df=np.int64(1), folds=np.int32(3))  # type: ignore[arg-type]
    RuleNetClassifier(None, None, recipe=recipe).fit(TEXTS, LABELS).save(tmp_path / "model")
    assert RuleNetClassifier.load(tmp_path / "model").recipe_ == Recipe.of(C=2.0, min_df=1, folds=3, nb=False)


def test_an_encoder_kept_in_half_precision_comes_back(tiny_encoder: str, tmp_path: Path) -> None:
    from transformers import AutoModel

    shutil.copytree(tiny_encoder, tmp_path / "half")
    AutoModel.from_pretrained(tiny_encoder).bfloat16().save_pretrained(tmp_path / "half")
    clf = RuleNetClassifier(None, str(tmp_path / "half"), recipe=Recipe.of(epochs=1)).fit(TEXTS, LABELS)
    clf.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    np.testing.assert_allclose(twin.predict_proba(TEXTS), clf.predict_proba(TEXTS), atol=1e-6)


@pytest.mark.slow
def test_the_dictionary_of_training_stays_after_an_edit(tmp_path: Path) -> None:
    trained, edited = (
        RuleSet.from_yaml(f"{{rulenet: 1, language: zh, rules: [{{id: a, label: x, word: [{words}]}}]}}")
        for words in ("热身赛名单, 央行", "国足热身")
    )
    texts = ["国足热身赛名单公布", "央行下调利率"] * 2
    clf = RuleNetClassifier(trained, None).fit(texts, ["x", "y"] * 2).with_rules(edited)
    clf.save(tmp_path / "model")
    twin = RuleNetClassifier.load(tmp_path / "model")
    assert json.loads((tmp_path / "model/vocabulary.json").read_text("utf-8"))["words"] == ["央行", "热身赛名单"]
    assert twin.predictor_.hybrid.features.tokeniser.words == ("央行", "热身赛名单")
    assert twin.rules == edited
    assert np.array_equal(twin.predict_proba(texts), clf.predict_proba(texts))
    assert "热身赛名单" in {term.name for term in twin.explain(texts[:1])[0].terms if term.kind == "tfidf"}


def test_a_model_written_by_hand_loads(tmp_path: Path) -> None:
    """Format 1 in full: whoever changes the format must keep this readable."""
    rules = "{rulenet: 1, rules: [{id: up, label: good, word: [rises, rose]}]}"
    (tmp_path / "rules.yaml").write_text(rules)
    (tmp_path / "vocabulary.json").write_text('{"words": [], "terms": ["falls", "oil"]}')
    arrays = {
        "coef": np.array([[0.0, 2.0], [0.5, 0.0], [0.0, 0.25]]),  # up, falls, oil × bad, good
        "bias": np.array([0.125, -0.125]),
        "idf": np.array([1.0, 1.0]),
    }
    safetensors.numpy.save_file(arrays, tmp_path / "phi.safetensors")
    config = {
        **{"protocol": 1, "rulenet": "0.1.0", "labels": ["bad", "good"], "label_type": "str", "language": "en"},
        **{
            "recipe": {"columns": {"ngram_range": [1, 1]}},
            "phi_scale": 2.0,
            "psi_scale": 1.0,
            "has_rules": True,
            "encoder": None,
        },
        **{"report": {}, "files": {}},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    for name in PHI_FILES - {"config.json"}:
        forge(tmp_path, name, (tmp_path / name).read_bytes())
    clf = RuleNetClassifier.load(tmp_path)
    # good − bad: 2 · (−0.25 + …): a rule counts 1; a single term has TF-IDF weight 1, two have 1/√2 each
    expected = [-0.5, 2 * (-0.25 + 2), 2 * (-0.25 - 0.5), 2 * (-0.25 + (0.25 - 0.5) / np.sqrt(2))]
    assert clf.decision_function(["", "rose", "falls", "oil falls"]).tolist() == pytest.approx(expected)
    # What came with format 2 is off: no cascade, no held-out texts, temperatures of one.
    assert (clf.cascade, clf.cascade_report_["mode"], clf.predictor_.hybrid.held_out) == ("off", "off", None)
    assert clf.predict_proba(["rose"])[0, 1] == pytest.approx(1 / (1 + np.exp(-3.5)))
    clf.calibrate(["rose", "falls", "oil"], ["good", "bad", "bad"]).save(tmp_path / "again")
    assert config_of(tmp_path / "again")["protocol"] == 2
    assert len(RuleNetClassifier.load(tmp_path / "again").predictor_.hybrid.held_out.y) == 3


@pytest.mark.parametrize("is_neural", [True, False])
def test_held_out_texts_come_back(
    hybrid: RuleNetClassifier, phi: RuleNetClassifier, tmp_path: Path, is_neural: bool
) -> None:
    clf = (hybrid if is_neural else phi).with_rules(RULES).calibrate(TEXTS, LABELS)
    clf.save(tmp_path / "model")
    assert "held_out.safetensors" in files(tmp_path / "model")
    arrays = safetensors.numpy.load_file(tmp_path / "model/held_out.safetensors")
    assert {name: array.shape for name, array in arrays.items()} == {"phi": (6, 2), "psi": (6, 2), "y": (6,)}
    assert arrays["y"].tolist() == [1, 1, 0, 0, 1, 0]
    twin = RuleNetClassifier.load(tmp_path / "model")
    for name in ("phi", "psi", "y"):
        assert np.array_equal(
            getattr(twin.predictor_.hybrid.held_out, name), getattr(clf.predictor_.hybrid.held_out, name)
        )
    assert twin.predictor_.hybrid.held_out.is_stale is False
    twin.with_rules(None).save(tmp_path / "stale")
    assert config_of(tmp_path / "stale")["held_out"] == {"is_stale": True}
    assert RuleNetClassifier.load(tmp_path / "stale").predictor_.hybrid.held_out.is_stale is True


# Saving over something


def test_a_model_replaces_a_model_whole(
    hybrid: RuleNetClassifier, phi: RuleNetClassifier, hybrid_folder: Path, tmp_path: Path
) -> None:
    phi.save(hybrid_folder)
    assert files(hybrid_folder) == PHI_FILES
    assert np.array_equal(RuleNetClassifier.load(hybrid_folder).predict_proba(TEXTS), phi.predict_proba(TEXTS))
    hybrid.save(hybrid_folder)
    assert files(hybrid_folder) == PHI_FILES | PSI_FILES
    assert os.listdir(tmp_path) == ["model"]


def test_new_folders_and_links_on_the_way(phi: RuleNetClassifier, tmp_path: Path) -> None:
    phi.save(tmp_path / "a/b/model")
    (tmp_path / "current").symlink_to(tmp_path / "a/b/model")
    phi.with_rules(None).save(str(tmp_path / "current"))
    assert (tmp_path / "current").is_symlink()
    assert files(tmp_path / "a/b/model") == PHI_FILES - {"rules.yaml"}


def test_what_is_no_model_is_left_alone(phi: RuleNetClassifier, tmp_path: Path, tiny_encoder: str) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    before = files(folder)
    with pytest.raises(ModelFileError, match=r"encoder exists and is not a rulenet model \(it holds"):
        phi.save(folder)
    assert files(folder) == before
    (tmp_path / "file").write_text("notes")
    with pytest.raises(ModelFileError, match=r"it is a file"):
        phi.save(tmp_path / "file")
    with pytest.raises(ModelFileError, match=r"model cannot be written: (Not a directory|File exists)"):
        phi.save(tmp_path / "file" / "model")
    assert (tmp_path / "file").read_text() == "notes"


def failing(real: Callable[..., Any], error: BaseException, works: int) -> Callable[..., Any]:
    """A function that works so many times, then fails once, then works again."""
    calls = iter([True] * works + [False])

    def call(*args: Any, **kwargs: Any) -> Any:
        if not next(calls, True):
            raise error
        return real(*args, **kwargs)

    return call


FULL = OSError(28, "No space left on device")
STOP = KeyboardInterrupt("stop")
# What fails, how many calls of it work before, and how
CRASHES: dict[str, tuple[Any, str, int, BaseException]] = {
    "rules": (Path, "write_text", 0, FULL),
    "tensors": (safetensors.numpy, "save_file", 0, safetensors.SafetensorError("No space left on device")),
    "config": (persist, "_write_json", 1, FULL),
    "sync": (os, "fsync", 2, FULL),
    "move": (os, "replace", 0, FULL),
    "ctrl-c": (persist, "_write_json", 1, STOP),
    "second move": (os, "replace", 1, FULL),
    "ctrl-c in the second move": (os, "replace", 1, STOP),
}
TWO_MOVES = ("second move", "ctrl-c in the second move")  # the older model aside, the new one in place


@pytest.mark.parametrize(
    ("name", "there"), [(name, there) for name in CRASHES for there in (True, False) if there or name not in TWO_MOVES]
)
def test_a_crash_leaves_the_older_model_or_nothing(
    phi: RuleNetClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, there: bool
) -> None:
    target, older = tmp_path / "model", phi.with_rules(None)
    if there:
        older.save(target)
    owner, attribute, works, error = CRASHES[name]
    with monkeypatch.context() as patch:
        patch.setattr(owner, attribute, failing(getattr(owner, attribute), error, works))
        expected = KeyboardInterrupt if error is STOP else ModelFileError
        with pytest.raises(expected, match=r"model cannot be written: No space left on device|stop"):
            phi.save(target)
    assert os.listdir(tmp_path) == (["model"] if there else [])
    if there:
        assert np.array_equal(RuleNetClassifier.load(target).predict_proba(TEXTS), older.predict_proba(TEXTS))


def test_a_folder_that_takes_no_model_is_named(
    phi: RuleNetClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mkdir(self: Path, *args: Any, **kwargs: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(ModelFileError, match=rf"^{tmp_path}/model cannot be written: Permission denied$"):
        phi.save(tmp_path / "model")


# Loading what someone else made


@pytest.mark.parametrize("name", sorted((PHI_FILES | PSI_FILES) - {"config.json"}))
def test_one_changed_byte_is_refused(hybrid_folder: Path, name: str) -> None:
    content = bytearray((hybrid_folder / name).read_bytes())
    content[-2] ^= 1
    (hybrid_folder / name).write_bytes(content)
    with pytest.raises(ModelFileError, match=rf"{name} is not the file that was saved"):
        RuleNetClassifier.load(hybrid_folder)


@pytest.mark.parametrize("name", sorted((PHI_FILES | PSI_FILES) - {"config.json"}))
def test_a_pickle_is_refused_and_not_opened(hybrid_folder: Path, tmp_path: Path, name: str) -> None:
    content = pickle.dumps(Marker(tmp_path / "executed"))
    (hybrid_folder / name).write_bytes(content)
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
    (hybrid_folder / "encoder/modeling.py").write_text("raise SystemExit('executed')")
    with pytest.raises(ModelFileError, match=r"encoder/modeling\.py does not belong to the model"):
        RuleNetClassifier.load(hybrid_folder)
    (hybrid_folder / "encoder/modeling.py").unlink()
    forge_json(hybrid_folder, "encoder/config.json", **entry)
    with pytest.raises(ModelFileError, match=r"encoder/config\.json: \w+ is not allowed in a saved model"):
        RuleNetClassifier.load(hybrid_folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "no-such-model"}, r"the encoder cannot be read"),
        ({"model_type": None}, r"the encoder cannot be read"),
        ({"hidden_size": 32}, r"the weights do not fit config\.json"),
        ({"hidden_size": 10**7}, r"the encoder cannot be read"),
        ({"vocab_size": 10**13}, r"the encoder cannot be read"),
        ({"num_hidden_layers": 10**9}, r"more layers than there are weights"),
        ({"num_hidden_layers": 1}, r"the weights do not fit config\.json"),
        ({"num_attention_heads": "x"}, r"the encoder cannot be read"),
        ({"hidden_act": "os.system"}, r"the encoder cannot be read"),
    ],
)
def test_an_encoder_config_that_does_not_fit_is_refused(
    hybrid_folder: Path, changes: dict[str, Any], message: str
) -> None:
    forge_json(hybrid_folder, "encoder/config.json", **changes)
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


WORDS = "embeddings.word_embeddings.weight"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("phi.safetensors", poison("coef"), r"phi\.safetensors holds weights that are no numbers"),
        ("phi.safetensors", poison("bias", np.inf), r"phi\.safetensors holds weights that are no numbers"),
        ("phi.safetensors", poison("idf"), r"phi\.safetensors holds weights that are no numbers"),
        ("phi.safetensors", cut("coef"), r"weights of shape \(\d+, 2\), \(2,\) and \(\d+,\) do not fit \d+ columns, 2 labels"),
        ("phi.safetensors", cut("bias"), r"weights of shape .* \(1,\) and"),
        ("phi.safetensors", cut("idf"), r"do not fit"),
        ("phi.safetensors", drop("idf"), r"phi\.safetensors cannot be read: 'idf'"),
        ("head.safetensors", poison("from_text.weight"), r"weights that are no numbers"),
        ("head.safetensors", cut("from_text.bias"), r"the encoder cannot be read"),
        ("head.safetensors", drop("from_phi.weight"), r"head\.safetensors lacks or adds from_phi\.weight"),
        ("head.safetensors", add("extra"), r"head\.safetensors lacks or adds extra"),
        ("encoder/model.safetensors", poison(WORDS), r"weights that are no numbers"),
        ("encoder/model.safetensors", cut(WORDS), r"the weights do not fit config\.json"),
        ("encoder/model.safetensors", drop(WORDS), r"the weights do not fit config\.json"),
        ("encoder/model.safetensors", add("extra"), r"the weights do not fit config\.json"),
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
        (poison("phi"), "holds logits or labels that cannot be"),
        (poison("psi", np.inf), "holds logits or labels that cannot be"),
        (poison("y", 2), "holds logits or labels that cannot be"),
        (poison("y", -2), "holds logits or labels that cannot be"),
        (as_type("y", np.float64), "holds logits or labels that cannot be"),
        (as_type("phi", np.int64), "holds logits or labels that cannot be"),
        (cut("y"), r"arrays of shape \(6, 2\), \(6, 2\) and \(5,\) do not fit 2 labels"),
        (cut("psi"), "do not fit 2 labels"),
        (scalar("y"), "do not fit 2 labels"),
        (drop("phi"), r"held_out\.safetensors cannot be read"),
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
    with pytest.raises(ModelFileError, match=r"phi\.safetensors cannot be read"):
        RuleNetClassifier.load(phi_folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"terms": ["film", "film"]}, r"vocabulary\.json: : Value error, a term stands twice|a term stands twice"),
        ({"terms": None}, r"vocabulary\.json: terms: Input should be a valid list"),
        ({"terms": ["film", 3]}, r"vocabulary\.json: terms\.1: Input should be a valid string"),
        ({"terms": ["film"]}, r"do not fit 3 columns, 2 labels and 1 terms"),
        ({"words": "abc"}, r"vocabulary\.json: words: Input should be a valid list"),
        ({"code": []}, r"vocabulary\.json: code: Extra inputs"),
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
        ({"ngram_range": [1, 2, 3]}, r"model: "),
        ({"ngram_range": 3}, r"model: "),
        ({"min_df": [1]}, r"model: "),
    ],
)
def test_a_recipe_that_is_wrong_is_refused(phi_folder: Path, recipe: dict[str, Any], message: str) -> None:
    config = config_of(phi_folder)
    config["recipe"].update(recipe)
    (phi_folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFileError, match=message):
        RuleNetClassifier.load(phi_folder)


def test_rules_that_are_wrong_are_refused(phi_folder: Path) -> None:
    forge(phi_folder, "rules.yaml", b"rulenet: 1\nrules: []\n")
    with pytest.raises(ModelFileError, match=r"model: 1 fault in .*rules\.yaml"):
        RuleNetClassifier.load(phi_folder)
    forge(phi_folder, "rules.yaml", b"rulenet: 1\nrules: [{id: a, label: pos, word: b}]\n")
    with pytest.raises(ModelFileError, match=r"do not fit"):
        RuleNetClassifier.load(phi_folder)


def test_a_pad_that_is_no_word_piece_is_refused(hybrid_folder: Path) -> None:
    config = config_of(hybrid_folder)
    config["encoder"]["pad_id"] = 10**9
    (hybrid_folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFileError, match=r"pad_id 1000000000 is no word piece of the encoder"):
        RuleNetClassifier.load(hybrid_folder)


def test_a_newer_model_says_upgrade(phi_folder: Path) -> None:
    config = {"protocol": 3, "rulenet": "9.0", "new": True}
    (phi_folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFileError, match=r"format 3 by rulenet 9\.0; .*Upgrade: pip install -U rulenet"):
        RuleNetClassifier.load(phi_folder)

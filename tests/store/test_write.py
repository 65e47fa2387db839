"""rulenet.store.write: what a model folder holds, the way back and forward, and that no kill, error or other writer harms a model."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.base import files as base_files
from rulenet.errors import ModelFileError
from rulenet.store import history, write
from rulenet.store.manifest import PHI_PARTS, PSI_PARTS, read_config
from rulenet.store.write import redo, save_edit, save_onnx, undo
from rulenet.workbench.hotedit import apply_rules
from tests.breaking import before_call, raising
from tests.store import killing
from tests.store.conftest import LABELS, RULES, TEXTS
from tests.store.folders import config_of, content, files, forge, part, present, write_config


def rules(weight: float) -> RuleSet:
    return RuleSet.from_yaml(RULES.source.replace("weight: 2", f"weight: {weight}"))


def weight_of(folder: Path) -> float:
    loaded = RuleNetClassifier.load(folder).rules
    assert isinstance(loaded, RuleSet)
    return loaded.rules[1].evidence["neg"]


def steps(folder: Path) -> tuple[int, int]:
    """How many steps back and forward there are."""
    config = read_config(folder)
    return len(config.undo), len(config.redo)


# What save writes


def test_a_model_is_exactly_these_files(phi_folder: Path) -> None:
    config = config_of(phi_folder)
    assert set(config["parts"]) == set(PHI_PARTS)
    names = {f"parts/{name.replace('.', '-' + entry['sha256'][:16] + '.')}" for name, entry in config["parts"].items()}
    assert files(phi_folder) == {"config.json", ".lock", *names}
    assert part(phi_folder, "rules.yaml").read_text(encoding="utf-8") == RULES.source
    assert (config["protocol"], config["labels"], config["encoder"]) == (3, ["neg", "pos"], None)
    assert (config["held_out"], config["cascade"], config["cascade_risk"]) == (None, "off", 0.005)
    assert (config["undo"], config["redo"]) == ([], [])
    tensors = safetensors.numpy.load_file(part(phi_folder, "phi.safetensors"))
    terms = json.loads(part(phi_folder, "vocabulary.json").read_text(encoding="utf-8"))["terms"]
    assert {name: array.shape for name, array in tensors.items()} == {
        "coef": (2 + len(terms), 2),
        "bias": (2,),
        "idf": (len(terms),),
    }
    assert os.listdir(phi_folder.parent) == ["model"]


def test_a_hybrid_has_its_encoder_and_head_too(hybrid_folder: Path) -> None:
    assert set(config_of(hybrid_folder)["parts"]) == {*PHI_PARTS, *PSI_PARTS}
    head = safetensors.numpy.load_file(part(hybrid_folder, "head.safetensors"))
    assert {name: array.shape for name, array in head.items()} == {
        "from_phi.weight": (2, 2),
        "from_text.bias": (2,),
        "from_text.weight": (2, 16),
    }
    settings = json.loads(part(hybrid_folder, "encoder.json").read_text(encoding="utf-8"))
    assert settings["model_type"] == "bert"
    assert "_name_or_path" not in settings


def test_without_rules_there_is_no_rule_file(tmp_path: Path) -> None:
    RuleNetClassifier(None, None).fit(TEXTS, LABELS).save(tmp_path / "model")
    assert set(config_of(tmp_path / "model")["parts"]) == {"phi.safetensors", "vocabulary.json"}


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_others_may_read_a_model_as_far_as_the_umask_lets_them(hybrid: RuleNetClassifier, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        hybrid.save(tmp_path / "model")
    finally:
        os.umask(before)
    modes = {oct(path.stat().st_mode & 0o777) for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert modes == {"0o640"}
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "model", tmp_path / "model/parts")} == {0o750}


def test_everything_comes_back(hybrid: RuleNetClassifier, hybrid_folder: Path) -> None:
    twin = RuleNetClassifier.load(hybrid_folder, device="cpu", n_jobs=2)
    assert twin.classes_.tolist() == ["neg", "pos"]
    assert twin.classes_.dtype == hybrid.classes_.dtype
    assert (twin.recipe_, twin.report_) == (hybrid.recipe_, hybrid.report_)
    assert (twin.rules, twin.encoder, twin.language) == (RULES, hybrid.encoder, "en")
    assert (twin.device, twin.n_jobs, twin.predictor_.hybrid.features.n_jobs) == ("cpu", 2, 2)
    assert twin.explain(TEXTS)[0].terms == hybrid.explain(TEXTS)[0].terms
    twin.save(hybrid_folder.parent / "again")
    again, before = present(hybrid_folder.parent / "again"), present(hybrid_folder)
    when = re.compile(rb'"saved":"[^"]*"')  # the second in which each was saved
    assert when.sub(b"", again.pop("config.json")) == when.sub(b"", before.pop("config.json"))
    assert again == before


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
    assert RuleNetClassifier.load(tmp_path / "model").recipe_ == Recipe.of(C=2.0, min_df=1, folds=3, word_vectors=None)


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
    assert json.loads(part(tmp_path / "model", "vocabulary.json").read_text("utf-8"))["words"] == ["央行", "热身赛名单"]
    assert twin.predictor_.hybrid.features.tokeniser.words == ("央行", "热身赛名单")
    assert twin.rules == edited
    assert np.array_equal(twin.predict_proba(texts), clf.predict_proba(texts))
    assert "热身赛名单" in {term.name for term in twin.explain(texts[:1])[0].terms if term.kind == "tfidf"}


def test_a_model_written_by_hand_loads(tmp_path: Path) -> None:
    """Format 3 in full: whoever changes the format must keep this readable, or have it refused with what to do."""
    rules = b"{rulenet: 1, rules: [{id: up, label: good, word: [rises, rose]}]}"
    arrays = {
        "coef": np.array([[0.0, 2.0], [0.5, 0.0], [0.0, 0.25]]),  # up, falls, oil × bad, good
        "bias": np.array([0.125, -0.125]),
        "idf": np.array([1.0, 1.0]),
    }
    config = {
        **{"protocol": 3, "rulenet": "0.1.0", "labels": ["bad", "good"], "label_type": "str", "language": "en"},
        **{
            "recipe": {"columns": {"ngram_range": [1, 1]}},
            "phi_scale": 2.0,
            "psi_scale": 1.0,
            "has_rules": True,
            "encoder": None,
        },
        **{"report": {}, "parts": {}},
    }
    write_config(tmp_path, config)
    (tmp_path / "parts").mkdir()
    forge(tmp_path, "rules.yaml", rules)
    forge(tmp_path, "vocabulary.json", b'{"words": [], "terms": ["falls", "oil"]}')
    forge(tmp_path, "phi.safetensors", safetensors.numpy.save(arrays))
    clf = RuleNetClassifier.load(tmp_path)
    # good − bad: 2 · (−0.25 + …): a rule counts 1; a single term has TF-IDF weight 1, two have 1/√2 each
    expected = [-0.5, 2 * (-0.25 + 2), 2 * (-0.25 - 0.5), 2 * (-0.25 + (0.25 - 0.5) / np.sqrt(2))]
    assert clf.decision_function(["", "rose", "falls", "oil falls"]).tolist() == pytest.approx(expected)
    # What it does not say is off: no cascade, no held-out texts, temperatures of one.
    assert (clf.cascade, clf.cascade_report_["mode"], clf.predictor_.hybrid.held_out) == ("off", "off", None)
    assert clf.predict_proba(["rose"])[0, 1] == pytest.approx(1 / (1 + np.exp(-3.5)))
    clf.calibrate(["rose", "falls", "oil"], ["good", "bad", "bad"]).save(tmp_path / "again")
    assert len(RuleNetClassifier.load(tmp_path / "again").predictor_.hybrid.held_out.y) == 3


@pytest.mark.parametrize("is_neural", [True, False])
def test_held_out_texts_come_back(
    hybrid: RuleNetClassifier, phi: RuleNetClassifier, tmp_path: Path, is_neural: bool
) -> None:
    clf = (hybrid if is_neural else phi).with_rules(RULES).calibrate(TEXTS, LABELS)
    clf.save(tmp_path / "model")
    arrays = safetensors.numpy.load_file(part(tmp_path / "model", "held_out.safetensors"))
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


def test_a_model_replaces_a_model_whole(hybrid: RuleNetClassifier, phi: RuleNetClassifier, hybrid_folder: Path) -> None:
    phi.save(hybrid_folder)
    assert set(config_of(hybrid_folder)["parts"]) == set(PHI_PARTS)
    assert np.array_equal(RuleNetClassifier.load(hybrid_folder).predict_proba(TEXTS), phi.predict_proba(TEXTS))
    hybrid.save(hybrid_folder)
    assert set(config_of(hybrid_folder)["parts"]) == {*PHI_PARTS, *PSI_PARTS}
    assert os.listdir(hybrid_folder.parent) == ["model"]


def test_new_folders_and_links_on_the_way(phi: RuleNetClassifier, tmp_path: Path) -> None:
    phi.save(tmp_path / "a/b/model")
    (tmp_path / "current").symlink_to(tmp_path / "a/b/model")
    phi.with_rules(None).save(str(tmp_path / "current"))
    assert (tmp_path / "current").is_symlink()
    assert "rules.yaml" not in config_of(tmp_path / "a/b/model")["parts"]


def test_a_damaged_model_is_repaired(phi: RuleNetClassifier, phi_folder: Path) -> None:
    part(phi_folder, "vocabulary.json").write_text("{}")
    part(phi_folder, "phi.safetensors").unlink()
    phi.save(phi_folder)
    assert np.array_equal(RuleNetClassifier.load(phi_folder).predict_proba(TEXTS), phi.predict_proba(TEXTS))
    assert config_of(phi_folder)["undo"] == []
    write_config(phi_folder, {**config_of(phi_folder), "labels": 3})
    phi.save(phi_folder)
    assert np.array_equal(RuleNetClassifier.load(phi_folder).predict_proba(TEXTS), phi.predict_proba(TEXTS))


def test_what_is_no_model_is_left_alone(phi: RuleNetClassifier, tmp_path: Path, tiny_encoder: str) -> None:
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    before = files(folder)
    with pytest.raises(ModelFileError, match=r"encoder exists and is not a rulenet model \(it contains model"):
        phi.save(folder)
    assert files(folder) == before
    (tmp_path / "file").write_text("notes")
    with pytest.raises(ModelFileError, match=r"file exists and is not a rulenet model \(it is a file\)"):
        phi.save(tmp_path / "file")
    with pytest.raises(ModelFileError, match=r"model cannot be written: (Not a directory|File exists)"):
        phi.save(tmp_path / "file" / "model")
    assert (tmp_path / "file").read_text() == "notes"


# Back and forward


def test_back_and_forward_bit_for_bit(phi: RuleNetClassifier, phi_folder: Path) -> None:
    """An edit, a calibration that is saved, another edit: three steps."""
    states = [present(phi_folder)]
    apply_rules(phi_folder, rules(3))
    states.append(present(phi_folder))
    RuleNetClassifier.load(phi_folder).calibrate(TEXTS, LABELS).save(phi_folder)
    states.append(present(phi_folder))
    apply_rules(phi_folder, rules(4))
    states.append(present(phi_folder))
    assert len({state["config.json"] for state in states}) == 4
    for k in (2, 1, 0):
        undo(phi_folder)
        assert present(phi_folder) == states[k]
        RuleNetClassifier.load(phi_folder)
    assert steps(phi_folder) == (0, 3)
    for k in (1, 2, 3):
        redo(phi_folder)
        assert present(phi_folder) == states[k]
    assert steps(phi_folder) == (3, 0)
    assert os.listdir(phi_folder.parent) == ["model"]


def test_an_export_is_a_step(hybrid: RuleNetClassifier, hybrid_folder: Path) -> None:
    class Graph:
        graph = b"graph"

    before = present(hybrid_folder)
    save_onnx(hybrid_folder, Graph, seen=read_config(hybrid_folder))
    assert {**present(hybrid_folder), "config.json": before["config.json"]} == {**before, "psi.onnx": b"graph"}
    undo(hybrid_folder)
    assert present(hybrid_folder) == before


def test_there_is_an_end_to_both_sides(phi_folder: Path) -> None:
    before = content(phi_folder)
    for step in (undo, redo):
        with pytest.raises(ModelFileError, match=rf"model: there is nothing to {step.__name__}$"):
            step(phi_folder)
    assert content(phi_folder) == before


def test_a_new_edit_ends_what_could_be_redone(phi_folder: Path) -> None:
    apply_rules(phi_folder, rules(3))
    undo(phi_folder)
    apply_rules(phi_folder, rules(4))
    assert steps(phi_folder) == (1, 0)
    undo(phi_folder)
    assert weight_of(phi_folder) == 2


def test_the_history_is_bounded(phi_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT", 2)
    for weight in range(3, 8):
        apply_rules(phi_folder, rules(weight))
    assert steps(phi_folder) == (2, 0)
    assert len([name for name in files(phi_folder) if "rules" in name]) == 3
    for _ in range(2):
        undo(phi_folder)
    assert weight_of(phi_folder) == 5  # 2, 3 and 4 are forgotten


def test_the_same_model_again_is_not_a_step(phi_folder: Path) -> None:
    apply_rules(phi_folder, rules(3))
    before = content(phi_folder)
    RuleNetClassifier.load(phi_folder).save(phi_folder)
    assert content(phi_folder) == before


def test_a_damaged_state_is_not_gone_back_to(phi_folder: Path) -> None:
    kept = part(phi_folder, "phi.safetensors")
    apply_rules(phi_folder, rules(3))
    data = bytearray(kept.read_bytes())
    data[-1] ^= 1
    kept.write_bytes(data)
    before = content(phi_folder)
    RuleNetClassifier.load(phi_folder)  # does not look there
    with pytest.raises(ModelFileError, match=r"phi-\w+\.safetensors is not the file that was saved"):
        undo(phi_folder)
    assert content(phi_folder) == before


def test_parts_that_stay_are_not_written_again(phi_folder: Path) -> None:
    before = part(phi_folder, "vocabulary.json").stat()
    apply_rules(phi_folder, rules(3))
    assert part(phi_folder, "vocabulary.json").stat() == before


def test_rights_stay(phi_folder: Path) -> None:
    phi_folder.chmod(0o750)
    for name in files(phi_folder):
        (phi_folder / name).chmod(0o640)
    apply_rules(phi_folder, rules(3))
    assert {(phi_folder / name).stat().st_mode & 0o777 for name in files(phi_folder)} == {0o640}
    assert phi_folder.stat().st_mode & 0o777 == 0o750


def test_a_link_to_a_model_still_points_at_it(phi_folder: Path) -> None:
    link = phi_folder.parent / "current"
    link.symlink_to(phi_folder)
    apply_rules(link, rules(3))
    assert link.is_symlink()
    assert weight_of(phi_folder) == 3


# Errors


FULL = OSError(errno.ENOSPC, "No space left on device")
STOP = KeyboardInterrupt("stop")
# What fails, at which call of it, and how
CRASHES: dict[str, tuple[Any, str, int, BaseException]] = {
    "first part": (base_files, "open", 1, FULL),
    "second part": (os, "fsync", 4, FULL),
    "its move": (os, "replace", 2, FULL),
    "pointer": (write, "check_parts", 1, FULL),
    "move of the pointer": (os, "replace", 3, FULL),
    "ctrl-c": (write, "write_file", 2, STOP),
    "ctrl-c before the move": (os, "replace", 3, STOP),
}


@pytest.mark.parametrize("name", CRASHES)
@pytest.mark.parametrize("there", [True, False])
def test_an_error_leaves_everything_as_it_was(
    phi: RuleNetClassifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, there: bool
) -> None:
    folder = tmp_path / "model"
    if there:
        phi.save(folder)
    before = content(folder)
    owner, attribute, number, error = CRASHES[name]
    with monkeypatch.context() as patch:
        real = open if attribute == "open" else getattr(owner, attribute)
        patch.setattr(owner, attribute, before_call(number, real, raising(error)), raising=False)
        expected = KeyboardInterrupt if error is STOP else ModelFileError
        with pytest.raises(expected, match=r"model cannot be written: No space left on device|stop"):
            phi.with_rules(rules(3)).save(folder)
    assert content(folder) == before
    phi.with_rules(rules(3)).save(folder)
    assert (weight_of(folder), steps(folder)) == (3, (int(there), 0))


def test_a_folder_that_cannot_be_written_is_named(
    phi: RuleNetClassifier, phi_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    before = content(phi_folder)
    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    with pytest.raises(ModelFileError, match=rf"^{phi_folder} cannot be written: Permission denied$"):
        apply_rules(phi_folder, rules(3))
    assert content(phi_folder) == before
    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(ModelFileError, match=rf"^{phi_folder}2 cannot be written: Permission denied$"):
        phi.save(f"{phi_folder}2")


@pytest.mark.parametrize("work", [undo, redo, lambda folder: apply_rules(folder, rules(3))])
def test_no_model_is_said_so(tmp_path: Path, work: Callable[[Path], Any]) -> None:
    with pytest.raises(ModelFileError, match=r"nothing: no such folder; a model is the folder that it was saved to"):
        work(tmp_path / "nothing")
    assert os.listdir(tmp_path) == []


# Others who write


def test_of_many_at_once_one_is_written(phi: RuleNetClassifier, phi_folder: Path) -> None:
    seen, told = read_config(phi_folder), []

    def edit(i: int) -> None:
        try:
            save_edit(phi_folder, phi.predictor_.hybrid, report={"n_texts": i}, seen=seen)
            told.append("written")
        except ModelFileError as error:
            told.append(str(error))

    threads = [threading.Thread(target=edit, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count("written") == 1
    refusal = f"{phi_folder} was changed by someone else; nothing was written. Look at it and try again"
    assert {text for text in told if text != "written"} == {refusal}
    assert steps(phi_folder) == (1, 0)
    RuleNetClassifier.load(phi_folder)


def test_of_many_saves_each_is_a_step(phi: RuleNetClassifier, phi_folder: Path) -> None:
    models = [phi.with_rules(rules(weight)) for weight in (3, 4, 5, 6)]
    threads = [threading.Thread(target=model.save, args=(phi_folder,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {weight_of(phi_folder)}
    for _ in range(4):
        undo(phi_folder)
        found.add(weight_of(phi_folder))
    assert found == {2, 3, 4, 5, 6}


def test_a_writer_does_not_wait_forever(
    phi: RuleNetClassifier, phi_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    monkeypatch.setattr(write, "PATIENCE", 0.1)
    before = content(phi_folder)
    with FileLock(phi_folder / ".lock"):
        with pytest.raises(
            ModelFileError, match=r"model has been locked by another writer for 0 seconds; nothing was written"
        ):
            phi.with_rules(None).save(phi_folder)
        assert content(phi_folder) == before
        RuleNetClassifier.load(phi_folder)  # readers do not wait
    phi.with_rules(None).save(phi_folder)


# Kills


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the test forks")
def test_no_kill_loses_a_model(tiny_encoder: str, tmp_path: Path) -> None:
    """The process ends before its first, second, … system call that changes files, in every operation that writes."""
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    kills = 0
    operations = killing.model_operations(tmp_path, tiny_encoder)
    for name, operation in [*operations, killing.format_operation(tmp_path)]:
        outcome = operation.try_all()
        assert (name, outcome.lost, outcome.litter) == (name, [], [])
        assert outcome.old >= 4, name  # the temporary file opened, written, made readable, moved
        kills += outcome.kills
    assert kills >= 150


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the test forks")
def test_a_reader_never_fails_while_models_are_saved(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    killing.save_often(folder, 1)
    reading = killing.read_during(folder, lambda: killing.save_often(folder, 200))
    assert reading.failures == []
    assert reading.loads >= 30
    assert reading.states >= 10

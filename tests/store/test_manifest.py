"""rulenet.store.manifest: what config.json may say, which files a model may have, and what a new model may replace."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rulenet.errors import ModelFileError
from rulenet.store.manifest import PARTS, ModelConfig, check_parts, check_target, entries_of, part_file, read_config
from tests.store.folders import config_of, part, write_config

CONFIG: dict[str, Any] = {
    "protocol": 3,
    "rulenet": "0.1.0",
    "labels": ["ham", "spam"],
    "label_type": "str",
    "language": "en",
    "recipe": {"C": 3.0},
    "phi_scale": 1.0,
    "psi_scale": 0.5,
    "has_rules": True,
    "encoder": {"name": "minilm", "pad_id": 0, "max_length": 256, "bound": 1.5},
    "held_out": {"is_stale": False},
    "cascade": "statistical",
    "cascade_risk": 0.01,
    "report": {},
    "parts": {},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all parts of a model, and a config that lists them."""
    folder = tmp_path / "model"
    (folder / "parts").mkdir(parents=True)
    parts = {name: f"content of {name}".encode() for name in PARTS}
    for name, entry in entries_of(parts).items():
        (folder / part_file(name, entry)).write_bytes(parts[name])
    write_config(folder, {**CONFIG, "parts": {name: entry.model_dump() for name, entry in entries_of(parts).items()}})
    return folder


def test_a_whole_folder_passes(folder: Path) -> None:
    config = read_config(folder)
    check_parts(folder, config)
    assert isinstance(config, ModelConfig)
    assert (config.labels, config.encoder and config.encoder.bound) == (["ham", "spam"], 1.5)


def test_what_need_not_be_said(folder: Path) -> None:
    config = config_of(folder)
    write_config(folder, {name: config[name] for name in config if not name.startswith(("cascade", "held_out"))})
    found = read_config(folder)
    assert (found.held_out, found.cascade, found.cascade_risk, found.undo, found.redo) == (None, "off", 0.005, [], [])


def test_states_that_are_equal_although_a_report_has_a_nan(folder: Path) -> None:
    write_config(folder, {**config_of(folder), "report": {"train_loss": [float("nan")]}})
    found = read_config(folder)
    assert found == read_config(folder)
    assert found.state == read_config(folder).state
    assert found != found.state
    assert ModelConfig.model_validate_json(found.model_dump_json()) == found


def test_a_state_of_the_history_is_checked_as_well(folder: Path) -> None:
    config = config_of(folder)
    write_config(folder, {**config, "undo": [config, {**config, "language": "fr"}]})
    with pytest.raises(ModelFileError, match=r"undo\.1\.language: Input should be 'en' or 'zh'"):
        read_config(folder)
    write_config(folder, {**config, "redo": [{**config, "undo": []}]})
    with pytest.raises(ModelFileError, match=r"redo\.0\.undo: Extra inputs"):
        read_config(folder)


def test_labels_keep_their_type(folder: Path) -> None:
    kinds = {"str": ["a", "b"], "int": [0, 2**62], "bool": [False, True], "float": [0.0, 1.0]}
    for kind, labels in kinds.items():
        write_config(folder, {**config_of(folder), "labels": labels, "label_type": kind})
        found = read_config(folder).labels
        assert [(label, type(label).__name__) for label in found] == [(label, kind) for label in labels]


# Each case: a field of config.json, its value, what the message must say

MISSING = object()
FIELDS: list[tuple[str, Any, str]] = [
    ("protocol", MISSING, r"the 'protocol' number is missing, so this is not a rulenet model"),
    ("protocol", "1", r"the 'protocol' number is missing"),
    ("protocol", True, r"the 'protocol' number is missing"),
    (
        "protocol",
        2,
        r"written in format 2 by rulenet 0\.1\.0; this .* reads format 3\. Train the model again, into a new folder$",
    ),
    (
        "protocol",
        4,
        r"written in format 4 by rulenet 0\.1\.0; this rulenet, .*, reads format 3\. Upgrade: pip install -U",
    ),
    ("protocol", 10**300, r"written in format 10{300} by rulenet"),
    ("rulenet", MISSING, r"the 'protocol' number is missing"),
    ("rulenet", 1, r"rulenet: Input should be a valid string"),
    ("labels", MISSING, r"labels: Field required"),
    ("labels", ["a"], r"labels.* at least 2 items"),
    ("labels", ["a", 1], r"labels\."),
    ("labels", ["a", "a"], r"a label is listed twice"),
    ("labels", [None, "a"], r"labels\."),
    ("labels", "ab", r"labels\..*valid list"),
    ("labels", [1, 2], r"the labels are not of type str"),
    ("label_type", "object", r"label_type: Input should be 'str', 'int', 'bool' or 'float'"),
    ("language", "fr", r"language: Input should be 'en' or 'zh'"),
    ("recipe", [], r"recipe: Input should be a valid dictionary"),
    ("phi_scale", 0, r"phi_scale: Input should be greater than or equal to 0\.000001"),
    ("phi_scale", "1", r"phi_scale: Input should be a valid number"),
    ("phi_scale", float("nan"), r"phi_scale: "),
    ("psi_scale", -1.0, r"psi_scale: Input should be greater than or equal to 0"),
    ("psi_scale", float("inf"), r"psi_scale: Input should be less than or equal to 1000000"),
    ("psi_scale", None, r"psi_scale: Input should be a valid number"),
    ("has_rules", "yes", r"has_rules: Input should be a valid boolean"),
    ("has_rules", 1, r"has_rules: Input should be a valid boolean"),
    ("encoder", MISSING, r"encoder: Field required"),
    ("encoder", "minilm", r"encoder: Input should be"),
    ("encoder.name", 3, r"encoder\.name: Input should be a valid string"),
    ("encoder.pad_id", -1, r"encoder\.pad_id: Input should be greater than or equal to 0"),
    ("encoder.pad_id", 0.5, r"encoder\.pad_id: Input should be a valid integer"),
    ("encoder.max_length", 10**9, r"encoder\.max_length: Input should be less than or equal to 1000000"),
    ("encoder.bound", 0, r"encoder\.bound: Input should be greater than 0"),
    ("encoder.bound", float("inf"), r"encoder\.bound: Input should be less than or equal to 1000000"),
    ("encoder.code", "import os", r"encoder\.code: Extra inputs are not permitted"),
    ("held_out", True, r"held_out: Input should be"),
    ("held_out", {}, r"held_out\.is_stale: Field required"),
    ("held_out", {"is_stale": 1}, r"held_out\.is_stale: Input should be a valid boolean"),
    ("cascade", "sometimes", r"cascade: Input should be 'off', 'certified' or 'statistical'"),
    ("cascade", None, r"cascade: Input should be"),
    ("cascade_risk", 0.0, r"cascade_risk: Input should be greater than 0"),
    ("cascade_risk", 1.0, r"cascade_risk: Input should be less than 1"),
    ("cascade_risk", float("nan"), r"cascade_risk: Input should be"),
    ("report", None, r"report: Input should be a valid dictionary"),
    ("parts", [], r"parts: Input should be a valid dictionary"),
    ("parts", {"rules.yaml": {"sha256": "00", "bytes": 1}}, r"parts\.rules\.yaml\.sha256: String should match"),
    ("parts", {"rules.yaml": {"sha256": "0" * 64, "bytes": -1}}, r"parts\.rules\.yaml\.bytes: Input should be greater"),
    ("undo", {}, r"undo: Input should be a valid list"),
    ("redo", [1], r"redo\.0: Input should be"),
    ("import", "os", r"import: Extra inputs are not permitted"),
]


def test_a_wrong_field_is_named(folder: Path) -> None:
    original = config_of(folder)
    for field, value, message in FIELDS:
        config = copy.deepcopy(original)
        inner = config["encoder"] if field.startswith("encoder.") else config
        name = field.removeprefix("encoder.")
        if value is MISSING:
            del inner[name]
        else:
            inner[name] = value
        write_config(folder, config)
        with pytest.raises(ModelFileError, match=message) as caught:
            read_config(folder)
        assert "pydantic" not in str(caught.value), field


def test_many_faults_are_cut_short(folder: Path) -> None:
    write_config(folder, {**config_of(folder), **{f"extra{i}": 0 for i in range(20)}})
    with pytest.raises(ModelFileError, match=r"extra0: Extra .*; and 12 more$"):
        read_config(folder)


def test_garbled_json_is_refused(folder: Path) -> None:
    for content in ("", '{"protocol": 1', "[" * 100_000, '{"protocol": ' + "1" * 5000 + "}", "\ufeff{}"):
        write_config(folder, content)
        with pytest.raises(ModelFileError, match=r"config\.json is not JSON"):
            read_config(folder)
    for content in ("[1]", "null"):
        write_config(folder, content)
        with pytest.raises(ModelFileError, match=r"the 'protocol' number is missing"):
            read_config(folder)


def test_bytes_that_are_no_text_and_giants_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "config.json").write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ModelFileError, match=r"config\.json is not JSON: 'utf-8' codec"):
        read_config(folder)
    monkeypatch.setattr("rulenet.store.manifest.MAX_JSON", 5)
    with pytest.raises(ModelFileError, match=r"config\.json is larger than 5 bytes, which no model needs"):
        read_config(folder)


def test_what_is_no_model_folder_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"nowhere: no such folder; a model is the folder that it was saved to"):
        read_config(tmp_path / "nowhere")
    with pytest.raises(ModelFileError, match=r"rules-\w+\.yaml: no such folder"):
        read_config(part(folder, "rules.yaml"))
    (folder / "config.json").unlink()
    with pytest.raises(ModelFileError, match=r"there is no config\.json, so this is not a rulenet model"):
        read_config(folder)


# Files


def faults(folder: Path) -> str:
    with pytest.raises(ModelFileError, match="was refused: ") as caught:
        check_parts(folder, read_config(folder))
    return str(caught.value)


def test_one_changed_byte_is_noticed(folder: Path) -> None:
    parts = [part(folder, name) for name in PARTS]
    for file in parts:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    found = faults(folder)
    for file in parts:
        assert f"parts/{file.name} is not the file that was saved (its checksum differs)" in found


def test_a_missing_file_is_named(folder: Path) -> None:
    parts = [part(folder, name) for name in PARTS]
    for file in parts:
        file.unlink()
    found = faults(folder)
    for file in parts:
        assert f"parts/{file.name} is missing or a link" in found


def test_a_name_outside_the_list_is_refused(folder: Path) -> None:
    names = ["../../x", "/etc/passwd", "parts\\rules.yaml", "parts/../rules.yaml", "./rules.yaml", "RULES.YAML"]
    names += ["config.json", "pytorch_model.bin", "", "\0"]
    config = config_of(folder)
    rules = config["parts"].pop("rules.yaml")
    config["parts"] |= dict.fromkeys(names, rules)
    write_config(folder, config)
    found = faults(folder)
    for name in names:
        assert f"{name!r} is not a part of this model" in found
    assert "rules.yaml is not listed in config.json" in found


def test_an_unknown_file_is_refused(folder: Path) -> None:
    names = ["pytorch_model.bin", "phi.safetensors", ".hidden", "sub/x", "parts/modeling.py", "parts/phi.safetensors"]
    names += ["parts/phi-0123456789abcdef.pkl", "parts/phi-0123456789ABCDEF.safetensors"]
    names += ["parts/phi-0123456789abcdef.safetensors\n", "parts/sub/rules-0123456789abcdef.yaml"]
    names += ["parts/config.json", "parts/.lock", f".phi.safetensors.{'0' * 32}", ".config.json.0"]
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    found = faults(folder)
    for name in names:
        assert f"; {name} does not belong to the model" in f"; {found.partition('refused: ')[2]}"


def test_what_writers_need_and_leave_is_known(folder: Path) -> None:
    names = [".lock", "parts/rules-0123456789abcdef.yaml", f".config.json.{'0' * 32}"]
    for name in [*names, f"parts/.head-0123456789abcdef.safetensors.{'f' * 32}"]:
        (folder / name).touch()
    check_parts(folder, read_config(folder))
    assert check_target(folder) == folder


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"has_rules": False}, "rules.yaml"),
        ({"encoder": None}, "head.safetensors"),
        ({"held_out": None}, "held_out.safetensors"),
    ],
)
def test_parts_that_this_model_does_not_need_are_refused(folder: Path, change: dict[str, Any], name: str) -> None:
    write_config(folder, {**config_of(folder), **change})
    with pytest.raises(ModelFileError, match=rf"'{name}' is not a part of this model"):
        check_parts(folder, read_config(folder))


def test_all_faults_come_at_once(folder: Path) -> None:
    part(folder, "rules.yaml").write_text("changed")
    part(folder, "vocabulary.json").unlink()
    (folder / "extra.py").touch()
    with pytest.raises(
        ModelFileError, match=r"rules-\w+\.yaml is not the file.*vocabulary-\w+\.json is missing.*extra\.py does"
    ):
        check_parts(folder, read_config(folder))


def link_file(folder: Path, elsewhere: Path) -> str:
    file = part(folder, "rules.yaml")
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    return r"rules-\w+\.yaml is missing or a link"


def link_folder(folder: Path, elsewhere: Path) -> str:
    (folder / "parts").rename(elsewhere)
    (folder / "parts").symlink_to(elsewhere)
    return r"rules-\w+\.yaml is missing or a link"


def link_lock(folder: Path, elsewhere: Path) -> str:
    (folder / ".lock").symlink_to(elsewhere)
    return r"\.lock does not belong to the model"


def link_beside(folder: Path, elsewhere: Path) -> str:
    (folder / "more").symlink_to(folder.parent)
    return r"more does not belong to the model"


def link_config(folder: Path, elsewhere: Path) -> str:
    (folder / "config.json").rename(elsewhere)
    (folder / "config.json").symlink_to(elsewhere)
    return r"there is no config\.json"


@pytest.mark.parametrize("change", [link_file, link_folder, link_lock, link_beside, link_config])
def test_links_are_refused(folder: Path, tmp_path: Path, change: Callable[[Path, Path], str]) -> None:
    message = change(folder, tmp_path / "elsewhere")
    with pytest.raises(ModelFileError, match=message):
        check_parts(folder, read_config(folder))


# Where a new model may go


def test_a_new_name_an_empty_folder_or_a_model_may_be_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty", "model", "deep/down/new"):
        assert check_target(tmp_path / name) == tmp_path / name
    part(folder, "rules.yaml").unlink()
    write_config(folder, {**config_of(folder), "protocol": 99})
    assert check_target(str(folder)) == folder  # damaged, newer: still a model


def test_a_link_to_a_model_stays_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "current").symlink_to(folder)
    assert check_target(tmp_path / "current") == folder


def a_file(target: Path) -> None:
    target.write_text("notes")


def a_folder_of_notes(target: Path) -> None:
    target.mkdir()
    (target / "notes.txt").write_text("notes")


def a_transformer(target: Path) -> None:
    target.mkdir()
    (target / "config.json").write_text('{"model_type": "bert"}')
    (target / "model.safetensors").touch()


def another_config(target: Path) -> None:
    target.mkdir()
    (target / "config.json").write_text('{"protocol": "https"}')


def a_model_with_notes(target: Path) -> None:
    target.mkdir()
    write_config(target, CONFIG)
    (target / "notes.txt").write_text("notes")


def empty_folders(target: Path) -> None:
    (target / "encoder").mkdir(parents=True)


def an_older_model(target: Path) -> None:
    (target / "encoder").mkdir(parents=True)
    write_config(target, {**CONFIG, "protocol": 2})


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (a_file, r"is not a rulenet model \(it is a file\)"),
        (a_folder_of_notes, r"is not a rulenet model \(it contains notes\.txt\)"),
        (a_transformer, r"is not a rulenet model \(it contains model\.safetensors\)"),
        (another_config, r"is not a rulenet model \(its config\.json is not one of a model\)"),
        (a_model_with_notes, r"is not a rulenet model \(it contains notes\.txt\)"),
        (empty_folders, r"is not a rulenet model \(it contains encoder\)"),
        (an_older_model, r"is a rulenet model of format 2, which this version does not replace"),
    ],
)
def test_what_is_no_model_is_never_overwritten(tmp_path: Path, make: Callable[[Path], None], what: str) -> None:
    make(tmp_path / "target")
    with pytest.raises(ModelFileError, match=rf"exists and {what}; choose another name or remove it first"):
        check_target(tmp_path / "target")


def test_what_an_interrupted_first_save_leaves_may_be_written_to(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / ".lock").touch()
    assert check_target(folder) == folder


def test_a_folder_that_cannot_be_listed_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rglob(self: Path, pattern: str) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "rglob", rglob)
    with pytest.raises(ModelFileError, match=r"model cannot be read: Permission denied"):
        check_target(folder)

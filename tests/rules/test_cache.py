"""rulenet.rules.cache: what is kept, what is not, and that a kept file is the same one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rulenet.errors import RuleFileError
from rulenet.rules import cache
from rulenet.rules.ruleset import RuleSet

TEXT = "rulenet: 1\nrules:\n  # why\n  - {id: a, label: x, word: [b, 007], since: 2026-01-01}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RULENET_CACHE", str(tmp_path))
    monkeypatch.setattr(cache, "MIN_CHARACTERS", 10)
    return tmp_path


def test_a_kept_file_is_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = RuleSet.from_yaml(TEXT)
    assert len(list(folder.glob("rules-*.json"))) == 1
    monkeypatch.setattr("rulenet.rules.sources.parse_yaml", lambda text: pytest.fail("read again"))
    second = RuleSet.from_yaml(TEXT)
    assert (second.file, second.source, second.rules) == (first.file, first.source, first.rules)


def test_lines_are_still_known(folder: Path) -> None:
    RuleSet.from_yaml(TEXT)
    assert RuleSet.from_yaml(TEXT, name="f.yaml").places == [("f.yaml", 4)]


def test_another_text_is_another_entry(folder: Path) -> None:
    RuleSet.from_yaml(TEXT)
    assert RuleSet.from_yaml(TEXT.replace("word: [b", "word: [c")).rules[0].word == ["c", "007"]


def test_faulty_files_are_not_kept(folder: Path) -> None:
    with pytest.raises(RuleFileError, match="unknown field 'wrod'"):
        RuleSet.from_yaml(TEXT.replace("word", "wrod"))
    assert not list(folder.iterdir())


def test_a_damaged_entry_is_read_anew(folder: Path) -> None:
    RuleSet.from_yaml(TEXT)
    (entry,) = folder.iterdir()
    entry.write_text('{"rulenet": "1", "rules": [{"id": "evil"}]}')
    assert RuleSet.from_yaml(TEXT).ids == ["a"]


@pytest.mark.parametrize("place", ["off", "/proc/no-such-place"])
def test_no_cache_is_no_fault(folder: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("RULENET_CACHE", place)
    assert RuleSet.from_yaml(TEXT).ids == ["a"]
    assert not list(folder.iterdir())


def test_small_files_are_not_worth_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MIN_CHARACTERS", 1000)
    RuleSet.from_yaml(TEXT)
    assert not list(folder.iterdir())

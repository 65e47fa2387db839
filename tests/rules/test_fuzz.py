"""Whatever becomes of a rule file, its includes and its word lists: the only error is RuleFileError, and what loads can be used."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from rulenet.errors import RuleFileError
from rulenet.rules.lint.lint import lint_ruleset
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.writing.format import format_text
from rulenet.text.record import Record
from tests.rules.mutations import (
    FILES,
    PACK,
    REPOSITORY,
    Damaged,
    Folder,
    complaints,
    damaged,
    mutate,
    mutate_bytes,
    part_of,
)

# Without other files, and without part-of-speech patterns, so that thousands of them can be matched.
PLAIN = "\n".join(
    line for line in PACK.splitlines() if "include:" not in line and "file:" not in line and "pos:" not in line
)
PLAIN = PLAIN.replace("lexicon: opinions", "lexicon: more")


def use(ruleset: RuleSet) -> None:
    """What a loaded file must stand."""
    assert RuleSet.from_yaml(ruleset.source).file == ruleset.file
    assert all(fault.line for fault in lint_ruleset(ruleset))
    if not any(part.needs_tags for condition, unless in ruleset.conditions for part in (condition, *unless)):
        record = Record.of({"title": "so, so great", "body": "not a 3-1 loss for 中国队 <b>oil</b>"})
        R = ruleset.match(["", record])
        assert [ruleset.ids[j] for j in R[1].indices] == list(ruleset.spans(record))


def outcome(read: Callable[[], RuleSet]) -> RuleSet | RuleFileError:
    """The ruleset, or the one error that is allowed."""
    try:
        return read()
    except RuleFileError as error:
        return error


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_five_hundred_mutations(seed: int) -> None:
    random_ = random.Random(seed)
    loaded = refused = 0
    for _ in range(500):
        text = mutate(random_, PLAIN)
        found = outcome(partial(RuleSet.from_yaml, text))
        if isinstance(found, RuleSet):
            use(found)
            loaded += 1
        else:
            assert found.faults
            assert all(0 < fault.line <= len(text.splitlines()) + 1 for fault in found.faults)
            refused += 1
    assert loaded > 20
    assert refused > 200


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_five_hundred_damaged_folders(seed: int, tmp_path: Path) -> None:
    """A hundred thousand: benchmarks/bench_fuzz.py."""
    random_ = random.Random(seed)
    packs = [path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "rules").glob("*.yaml"))]
    folder = Folder(tmp_path)
    outcomes = set()
    for _ in range(500):
        sample = damaged(random_, packs)
        found = outcome(partial(RuleSet.load, folder.write(sample)))
        outcomes.add((sample.how, type(found)))
        if isinstance(found, RuleFileError):
            assert complaints(found, sample, folder.path) == []
        elif random_.random() < 0.2:
            use(found)
    assert {("rules: text", RuleSet), ("rules: structure", RuleSet), ("lexicon: text", RuleSet)} <= outcomes
    assert {("include: bytes", RuleFileError), ("lexicon: text", RuleFileError)} <= outcomes


def test_the_undamaged_folder_loads(tmp_path: Path) -> None:
    """Else the fuzz tests would only ever see refusals."""
    files = {name: text.encode() for name, text in FILES.items()}
    ruleset = RuleSet.load(Folder(tmp_path).write(Damaged(files, "")))
    use(ruleset)
    assert len(ruleset) > len(ruleset.file.include) == 0  # the included rules are among them


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_what_loads_survives_formatting(seed: int) -> None:
    random_ = random.Random(seed)
    packs = [path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "rules").glob("*.yaml"))]
    formatted = 0
    for i in range(300):
        text = mutate(random_, part_of(random_, random_.choice(packs)) if i % 4 == 0 else PLAIN)
        found = outcome(partial(RuleSet.from_yaml, text))
        if isinstance(found, RuleSet):
            written = format_text(text)
            assert RuleSet.from_yaml(written).file == found.file
            assert format_text(written) == written
            formatted += 1
    assert formatted > 20


@pytest.mark.slow
def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    random_ = random.Random(0)
    path = tmp_path / "rules.yaml"
    for _ in range(200):
        path.write_bytes(mutate_bytes(random_, PLAIN.encode()))
        found = outcome(partial(RuleSet.load, path))
        if isinstance(found, RuleSet):
            use(found)
        else:
            assert str(path) in str(found)

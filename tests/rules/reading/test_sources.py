"""rulenet.rules.reading.sources: included files and word lists, and what may not be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rulenet.errors import RuleFileError
from rulenet.rules.file import parse
from rulenet.rules.reading import sources
from rulenet.rules.reading.sources import parse_list
from rulenet.rules.ruleset import RuleSet

RULE = "- {id: %s, label: x, word: %s}\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_csv", ".csv")
        path = path if path.suffix else path.with_suffix(".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "top.yaml"


def faults(path: Path) -> list[str]:
    with pytest.raises(RuleFileError, match="fault") as caught:
        RuleSet.load(path)
    return [f"{fault.place(path.name)}: {fault.text}".replace(str(path.parent), ".") for fault in caught.value.faults]


def test_included_rules_come_first_and_names_are_shared(tmp_path: Path) -> None:
    top = write(
        tmp_path,
        top="rulenet: 1\ninclude: parts/a.yaml\nlexicons: {own: [z]}\nrules:\n- {id: t, label: x, lexicon: [own, far]}\n",
        parts__a="rulenet: 1\ninclude: b.yaml\nrules:\n" + RULE % ("a", "a"),
        parts__b="rulenet: 1\nlexicons: {far: {file: far.csv}}\nrules:\n" + RULE % ("b", "b"),
        parts__far_csv='term,weight\nfaraway,2\n"so, so",\n',
    )
    ruleset = RuleSet.load(top)
    assert ruleset.ids == ["b", "a", "t"]
    assert [(Path(name).name, line) for name, line in ruleset.places] == [("b.yaml", 4), ("a.yaml", 4), ("top.yaml", 5)]
    assert ruleset.lexicons == {"own": {"z": 1.0}, "far": {"faraway": 2.0, "so, so": 1.0}}
    assert ruleset.match(["b", "a", "so so", "faraway"]).toarray().tolist() == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0, 1],
    ]


def test_the_source_of_several_files_says_everything_in_one(tmp_path: Path) -> None:
    top = write(
        tmp_path,
        top="rulenet: 1\nlanguage: en\ninclude: [a.yaml]\nwords: [网红店, 云计算]\nrules:\n"
        "- {id: t, label: y, near: {terms: [no, {lexicon: l}]}, since: 2026-01-02, negation: {flip: x}, weight: 007}\n",
        a="rulenet: 1\nlexicons: {l: [{file: l.csv}]}\nnegation_cues: [lacks]\nwords: [云计算]\nrules:\n"
        + RULE % ("a", "'null'"),
        l_csv="term\nno\n",
    )
    ruleset = RuleSet.load(top)
    alone = RuleSet.from_yaml(ruleset.source)
    assert (alone.file, alone.rules, alone.lexicons) == (ruleset.file, ruleset.rules, ruleset.lexicons)
    assert ruleset.words == ("云计算", "网红店")


def test_a_file_included_twice_is_read_once(tmp_path: Path) -> None:
    top = write(
        tmp_path,
        top="rulenet: 1\ninclude: [a.yaml, b.yaml]\n",
        a="rulenet: 1\ninclude: c.yaml\n",
        b="rulenet: 1\ninclude: c.yaml\n",
        c="rulenet: 1\nrules:\n" + RULE % ("c", "c"),
    )
    assert RuleSet.load(top).ids == ["c"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../secret.yaml", "is outside"),
        ("/etc/passwd", "must be a relative path"),
        ("a\\b.yaml", "must be a relative path with forward slashes"),
        ("link.yaml", "is outside"),
        ("gone.yaml", "no such file; the path is taken from"),
        ("x" * 5000, "cannot be"),
        (".", "is outside"),
        ("folder", "this is a folder"),
    ],
)
def test_only_files_below_the_first_are_read(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "secret.yaml").write_text("rulenet: 1\nrules:\n" + RULE % ("s", "s"))
    (tmp_path / "home" / "folder").mkdir(parents=True)
    os.symlink(tmp_path / "secret.yaml", tmp_path / "home" / "link.yaml")
    top = write(tmp_path / "home", top=f"rulenet: 1\ninclude: ['{name}']\nrules:\n" + RULE % ("t", "t"))
    (fault,) = faults(top)
    assert fault.startswith("top.yaml:2: include ")
    assert message in fault


def test_circles_are_named(tmp_path: Path) -> None:
    top = write(tmp_path, top="rulenet: 1\ninclude: a.yaml\n", a="rulenet: 1\ninclude: [top.yaml, a.yaml]\n")
    assert [fault.split("include each other ")[1] for fault in faults(top)] == [
        "in a circle: top.yaml → a.yaml → top.yaml; remove one of these links [RN210 include-circle]",
        "in a circle: a.yaml → a.yaml; remove one of these links [RN210 include-circle]",
    ]


def test_faults_of_all_files_come_together_with_their_file(tmp_path: Path) -> None:
    top = write(
        tmp_path,
        top="rulenet: 1\ninclude: a.yaml\nlexicons: {l: {file: l.csv}}\nrules:\n- {id: a, label: x, wrod: w}\n",
        a="rulenet: 1\nrules:\n- {id: a, label: x, lexicon: none}\n",
        l_csv="term,weight\na,heavy\n$,\nb,1,2\n",
    )
    assert [fault.split(": ")[0] for fault in faults(top)] == [
        "top.yaml:5",
        "top.yaml:5",  # the same id as in a.yaml
        "./a.yaml:3",
        "./l.csv:2",
        "./l.csv:3",
        "./l.csv:4",
    ]


def test_a_text_without_a_file_cannot_name_others() -> None:
    with pytest.raises(
        RuleFileError, match=r"cannot be read, as this text does not come from a file; use RuleSet.load"
    ):
        RuleSet.from_yaml("rulenet: 1\ninclude: a.yaml\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line must be the header 'term' or 'term,weight', not 'nothing'"),
        ("word\na\n", "not 'word'"),
        ("term\n", "the list is empty"),
        ("term,weight\na,nan\n", "weight 'nan' is not a number from -20 to 20"),
        ("term,weight\n,1\n", "the term is empty"),
    ],
)
def test_bad_lists(text: str, message: str) -> None:
    _, (fault,) = parse_list(text)
    assert message in fault.message


def test_limits_of_all_that_a_file_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of a file and of all together, files, values, entries of a list; found before they are kept."""
    files = {f"f{i}": f"rulenet: 1\nrules:\n{RULE % (f'r{i}', 'w')}# {'x' * 100}\n" for i in range(5)}
    top = write(tmp_path, top=f"rulenet: 1\ninclude: [{', '.join(f'{name}.yaml' for name in files)}]\nlexicons: {{l: {{file: l.csv}}}}\n",
                l_csv="term\n" + "a\n" * 30, **files)  # fmt: skip
    assert len(RuleSet.load(top)) == 5
    for module, name, value, said in (
        (sources, "MAX_BYTES", 100, "more than 100 bytes; split it"),
        (sources, "MAX_BYTES", 400, "the files named here have more than 400 characters in all; leave some out"),
        (sources, "MAX_FILES", 3, "include 'f3.yaml': more than 3 files in all; put several into one"),
        (sources, "MAX_ENTRIES", 20, "more than 20 entries; split the list"),
        (parse, "MAX_VALUES", 8, "more than 8 values; put long lists into CSV files"),
    ):
        with monkeypatch.context() as changed:
            changed.setattr(module, name, value)
            with pytest.raises(RuleFileError, match=said):
                RuleSet.load(top)


def test_endless_files_and_pipes_are_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_BYTES", 1000)
    with pytest.raises(RuleFileError, match="more than 1,000 bytes; split it"):
        RuleSet.load("/dev/zero")
    os.mkfifo(tmp_path / "b.yaml")
    os.mkfifo(tmp_path / "l.csv")
    top = write(tmp_path, top="rulenet: 1\ninclude: b.yaml\nlexicons: {l: {file: l.csv}}\n")
    assert sum("this is not a regular file" in fault for fault in faults(top)) == 2

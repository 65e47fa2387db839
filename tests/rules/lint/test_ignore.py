"""rulenet.rules.lint.ignore: what comments hide, and what is said of comments that hide nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from rulenet.rules.lint.lint import lint, lint_text
from rulenet.rules.lint.repair import repair

RULES = """\
rulenet: 1
lexicons:
  common: [the, of]
  idle: [x]
rules:
  - id: a
    label: X
    any:
      - word: C++
      - word: [the, A#]
  - {id: b, label: X, word: the}
  - {id: c, label: X, lexicon: common}
"""


def shown(text: str) -> list[str]:
    return [f"{fault.line} {fault.code.number}" for fault in lint_text(text)]


def with_comment(line: int, comment: str, *, above: bool = False) -> str:
    """The rules with a comment at the end of a line, or in a line of its own above it."""
    lines = RULES.splitlines()
    if above:
        indent = " " * (len(lines[line - 1]) - len(lines[line - 1].lstrip()))
        lines.insert(line - 1, f"{indent}# {comment}")
    else:
        lines[line - 1] += f"  # {comment}"
    return "\n".join(lines) + "\n"


BASE = shown(RULES)
AT_THE_END = [
    (9, "rulenet: ignore RN301", {"9 RN301"}),
    (9, "rulenet: ignore: ignored-symbol", {"9 RN301"}),
    (10, "rulenet: ignore RN301, RN303", {"10 RN301", "10 RN303"}),
    (10, "rulenet:ignore RN301 common-word - both are meant", {"10 RN301", "10 RN303"}),
    (3, "rulenet: ignore RN303 (short)", {"3 RN303"}),
    (4, "mine. rulenet: ignore RN308", set()),  # it must begin the comment
]


@pytest.mark.parametrize(("line", "comment", "hidden"), AT_THE_END)
def test_at_the_end_of_a_line(line: int, comment: str, hidden: set[str]) -> None:
    assert shown(with_comment(line, comment)) == [fault for fault in BASE if fault not in hidden]


ABOVE = [
    (1, "rulenet: ignore RN303", {"3 RN303", "10 RN303", "11 RN303"}),  # the whole file
    (5, "rulenet: ignore RN303", {"10 RN303", "11 RN303"}),  # all rules
    (6, "rulenet: ignore RN301", {"9 RN301", "10 RN301"}),  # one rule
    (8, "rulenet: ignore RN301", {"9 RN301", "10 RN301"}),  # a condition with its parts
    (9, "rulenet: ignore RN301", {"9 RN301"}),
    (11, "rulenet: ignore RN303", {"11 RN303"}),
    (3, "rulenet: ignore RN303\n  # and why", {"3 RN303"}),
]


@pytest.mark.parametrize(("line", "comment", "hidden"), ABOVE)
def test_above(line: int, comment: str, hidden: set[str]) -> None:
    more = comment.count("\n") + 1
    left = [fault.split() for fault in BASE if fault not in hidden]
    expected = [f"{int(at) + more if int(at) >= line else at} {code}" for at, code in left]
    assert shown(with_comment(line, comment, above=True)) == expected


REPORTED = [
    (9, "rulenet: ignore RN303", ["9 RN601"]),
    (9, "rulenet: ignore RN301 RN303", ["9 RN601"]),
    (9, "rulenet: ignore RN999", ["9 RN602"]),
    (9, "rulenet: ignore", ["9 RN602"]),
    (9, "rulenet: ignore RN012", ["9 RN603"]),
]


@pytest.mark.parametrize(("line", "comment", "reported"), REPORTED)
def test_a_comment_that_ignores_nothing_is_reported(line: int, comment: str, reported: list[str]) -> None:
    assert [fault for fault in shown(with_comment(line, comment)) if " RN6" in fault] == reported


def test_a_blank_line_ends_what_a_comment_is_about() -> None:
    text = RULES.replace("  - {id: b", "  # rulenet: ignore RN303\n\n  - {id: b")
    assert "11 RN601" in shown(text)
    assert "13 RN303" in shown(text)


def test_only_comments_count() -> None:
    text = RULES.replace("[x]", "['# rulenet: ignore RN308']")
    assert "4 RN308" in shown(text)


def test_what_is_ignored_is_not_repaired() -> None:
    text = "rulenet: 1\nrules:\n  - {id: a, label: x, word: [b, b]}  # rulenet: ignore RN305\n"
    assert repair(text) == (text, [])


def test_errors_stay_whatever_a_comment_says() -> None:
    assert shown("# rulenet: ignore RN012\nrulenet: 1\nrules: [{id: a, label: x, wrod: w}]\n") == ["3 RN012"]


def test_included_files_have_comments_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("rulenet: 1\nrules:\n  - {id: b, label: x, word: the}  # rulenet: ignore RN303\n")
    top = tmp_path / "top.yaml"
    top.write_text("rulenet: 1\ninclude: b.yaml\n")
    assert lint(top) == []

from __future__ import annotations

from rulenet.rules.writing.syntax import Node, build_tree, with_edits

TEXT = """\
# head
a:   # opens a
  # above the first
  - b   # beside b

  - c: [d, # beside d
      # above e
      'e', ]  # behind the list
    # tail of the second
# left edge
f:  # behind f
  {g: |  # no block inside brackets
  }
"""


def texts(node: Node) -> list[str]:
    return [comment.text for comment in node.comments()]


def test_places_and_owners_of_comments() -> None:
    text = TEXT.replace("|  # no block inside brackets", "h")
    tree = build_tree(text)
    a, f = tree.entries
    assert [comment.text for comment in a.before] == ["# head"]
    assert a.value.opening is not None
    assert a.value.opening.text == "# opens a"
    b, c = a.value.entries
    assert [comment.text for comment in b.before] == ["# above the first"]
    assert b.after is not None
    assert b.after.text == "# beside b"
    assert [comment.text for comment in c.before] == [""]  # a blank line
    words = c.value.entries[0]
    assert texts(words.value) == ["# beside d", "# above e"]
    assert words.after is not None
    assert words.after.text == "# behind the list"
    assert [comment.text for comment in c.value.closing] == ["# tail of the second"]
    assert [comment.text for comment in f.before] == ["# left edge"]
    assert f.behind_key is not None
    assert f.behind_key.text == "# behind f"
    for node in (*words.value.values(), b.value):
        assert text[node.start : node.end].strip("'") == node.text
    assert all(text[comment.start :].startswith(comment.text) for comment in tree.comments())
    assert text[b.start] == text[c.start] == "-"


def test_lines_and_columns_are_those_of_the_text() -> None:
    tree = build_tree("甲: 1\r\nb:\r\n  - 😀: x # c\r\n")
    key = tree.entry("b").value.entries[0].value.entries[0]  # type: ignore[union-attr]
    assert key.key is not None
    assert (key.key.line, key.key.column, key.value.column) == (3, 4, 7)
    assert key.after is not None
    assert key.after.text == "# c"


def test_a_text_without_values() -> None:
    assert texts(build_tree("# only\n\n# comments\n")) == ["# only", "# comments"]
    assert build_tree("").entries == []


def test_edits_do_not_depend_on_their_order() -> None:
    assert with_edits("abc", [(2, 3, "C"), (0, 0, "x"), (0, 1, "A")]) == "xAbC"
    assert with_edits("'a'# c", [(0, 3, "b")]) == "b  # c"

"""Which columns of a table are the text, the label and the split. Imports errors and wording.

A column called ``text`` or ``文本`` is the text, one called ``label`` or ``标签`` the label, whatever else there is. A title and its
description, body or content are read together. Otherwise the one column with a usual name is taken; of several, the user has to choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from rulenet.base.wording import counted, some
from rulenet.errors import DataError

# The usual names, in any case. Of the names in one row, those further to the left are never ambiguous with those to the right.
TEXTS: tuple[tuple[str, ...], ...] = (
    ("text", "文本"),
    ("sentence", "review", "content", "body", "message", "comment", "document", "utterance", "query", "tweet", "post",
     "内容", "內容", "正文", "评论", "評論", "句子", "文章", "留言"),
    ("title", "标题", "標題", "question", "问题", "問題", "description", "摘要", "描述", "headline", "subject"),
)  # fmt: skip
LABELS: tuple[tuple[str, ...], ...] = (
    ("label", "labels", "标签", "標籤"),
    ("class", "category", "topic", "sentiment", "intent", "target", "类别", "類別", "分类", "分類", "情感", "意图", "意圖",
     "类型", "類型", "主题", "主題"),
)  # fmt: skip
TITLES = ("title", "标题", "標題", "headline", "subject")
BODIES = ("description", "body", "content", "正文", "内容", "內容", "描述", "摘要")
MAX_COLUMNS = 10_000


def _short(name: str) -> str:
    return repr(name if len(name) <= 80 else name[:77] + "…")


@dataclass(frozen=True)
class Reading:
    """How a table is read: what the options of `load` and of the commands say. None: find out."""

    text: str | None = None
    label: str | None = None
    split: str | None = None
    encoding: str | None = None
    separator: str | None = None
    quoting: bool | None = None
    sheet: str | None = None
    several: bool | None = None


FIND_OUT = Reading()


@dataclass(frozen=True)
class Columns:
    """The columns to read."""

    texts: list[str]  # several make records
    label: str | None
    split: str | None


def choose(name: str, columns: Sequence[str], how: Reading, *, need_labels: bool, is_hub: bool = False) -> Columns:
    """Choose the columns to read; all problems go into one error.

    Examples
    --------
    >>> choose("a.csv", ["id", "标题", "正文", "Category"], Reading(), need_labels=True)
    Columns(texts=['标题', '正文'], label='Category', split=None)
    """
    if len(columns) > MAX_COLUMNS:
        raise DataError(f"{name}: {counted(len(columns), 'column')}, but at most {MAX_COLUMNS:,} are read")
    known = {column.strip().lower(): column for column in reversed(columns)}  # reversed: the first of two wins
    seen: set[str] = set()
    twice = sorted({column for column in columns if column in seen or seen.add(column)})  # type: ignore[func-returns-value]
    problems = [f"the column name {_short(column)} appears more than once: rename or delete one" for column in twice]
    texts = _asked(how.text, columns) if how.text is not None else _usual_texts(known, problems)
    for option, column in (*(("--text", column) for column in texts), ("--label", how.label)):
        if column is not None and column not in columns:
            problems.append(f"no column {column!r}{hint(column, columns)}: correct {option}")
    if not texts and not any("--text" in problem for problem in problems):
        problems.append("found no text column: name it with --text")
    label = how.label if how.label is not None else _usual_label(known, texts, problems, need_labels)
    if label is not None and label in texts:
        problems.append(f"text and label are both {label!r}: give --text and --label")
    split = None if how.split is None or is_hub else known.get("split")
    if how.split is not None and not is_hub and split is None:
        problems.append(f"--split {how.split} needs a column 'split', which is missing: leave out --split")
    if problems:
        found = some([_short(column) for column in columns], 30)
        raise DataError(f"{name}: {'; '.join(problems[:20])}. Columns found: {found}{_advice(columns)}")
    return Columns(texts, label, split)


def _asked(text: str, columns: Sequence[str]) -> list[str]:
    """The columns that were named; a comma separates them unless it is part of a name."""
    return [text] if text in columns else [part.strip() for part in text.split(",") if part.strip()]


def _usual_texts(known: dict[str, str], problems: list[str]) -> list[str]:
    certain, likely, possible = ([known[name] for name in row if name in known] for row in TEXTS)
    if certain:
        return _one(certain, "text", problems)
    title = next((known[name] for name in TITLES if name in known), None)
    bodies = [known[name] for name in BODIES if name in known]
    if title is not None and bodies and not set(likely) - set(bodies):
        return [title, *_one(bodies, "text", problems)]
    return _one(likely or possible, "text", problems)


def _usual_label(known: dict[str, str], texts: list[str], problems: list[str], need_labels: bool) -> str | None:
    for row in LABELS:
        found = [known[name] for name in row if name in known and known[name] not in texts]
        if found:
            return next(iter(_one(found, "label", problems if need_labels else [])), found[0])
    if need_labels:
        problems.append("found no label column: name it with --label")
    return None


def _one(found: list[str], what: str, problems: list[str]) -> list[str]:
    if len(found) > 1:
        problems.append(f"{' and '.join(map(repr, found))} could each be the {what}: choose with --{what}")
        return []
    return found


def hint(name: str, options: Iterable[str]) -> str:
    """The option that somebody may have meant."""
    lowered = {option.lower(): option for option in list(options)[:1000] if len(option) < 200}
    near = get_close_matches(name.lower()[:200], lowered, n=1)
    return f" (did you mean {lowered[near[0]]!r}?)" if near else ""


def _advice(columns: Sequence[str]) -> str:
    """What to do about a table that was cut in the wrong places, or whose quotes were kept."""
    if any(len(column) > 1 and column[0] == column[-1] == '"' for column in columns):
        return ". If names and fields are in quotes, give --quoting"
    for separator, name in ((",", ","), (";", ";"), ("\t", "tab"), ("|", "|")):
        if len(columns) == 1 and separator in columns[0]:
            return f". If the columns are separated by {name!r}, give --separator '{name}'"
    return ""

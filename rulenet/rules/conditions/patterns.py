"""Regular expressions and part-of-speech patterns, compiled by RE2 and kept. Imports `rulenet.text` only."""

from __future__ import annotations

import re
from typing import Any

import re2

from rulenet.text.doc import TAG_CLOSE, TAG_MIDDLE, TAG_OPEN
from rulenet.text.tag import TAGS


def regex_options() -> Any:
    """RE2 options of every pattern in a rule file."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.never_capture = True
    return options


_compiled: dict[str, Any] = {}


def compile_regex(pattern: str) -> Any:
    """Compile an RE2 pattern; compiled patterns are kept.

    Raises
    ------
    ValueError
        If RE2 does not accept it; the message says what to write instead.

    Examples
    --------
    >>> compile_regex("(?<=a)b")
    Traceback (most recent call last):
    ValueError: look-around is not supported by RE2; ...
    """
    if pattern not in _compiled:
        if len(_compiled) > 50_000:
            _compiled.clear()
        try:
            _compiled[pattern] = re2.compile(pattern, regex_options())
        except re2.error as error:
            raise ValueError(_advice(pattern, error)) from None
    return _compiled[pattern]


def _detail(error: Exception) -> str:
    return error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)


def _advice(pattern: str, error: Exception) -> str:
    if re.search(r"\(\?<?[=!]", pattern):
        return "look-around is not supported by RE2; use `all`, `none` or `unless` instead"
    if re.search(r"(?<!\\)(?:\\\\)*\\[1-9]", pattern) or "(?P=" in pattern:
        return "back-references are not supported by RE2; spell the alternatives out"
    return f"not a regular expression that RE2 accepts: {_detail(error)}; write a backslash before a character that is meant as itself"


_ITEM = re.compile(r"(?P<tag>[A-Z]+|\*)(?::(?:(?P<what>lemma|word)=)?(?P<value>[^\s:=]+?))?(?P<repeat>[?*+]?)")


def compile_pos(pattern: str) -> Any:
    r"""Compile a part-of-speech pattern to a regex over the tokens of a text, each as ``\x01TAG:lemma\x03word\x02``.

    Items are separated by spaces: ``TAG``, ``TAG:lemma=go``, ``TAG:word=gone`` (``TAG:go`` means the lemma; ``a|b`` for several), with
    ``*`` for any tag, and each with an optional ``?``, ``*`` or ``+``.

    Raises
    ------
    ValueError
        If an item cannot be read or a tag does not exist.

    Examples
    --------
    >>> compile_pos("DET? ADJ+ NOUN:film|movie").search("\x01ADJ:good\x03good\x02\x01NOUN:film\x03films\x02") is not None
    True
    >>> compile_pos("VRB")
    Traceback (most recent call last):
    ValueError: unknown tag 'VRB'; the tags are ADJ, ADP, ...
    """
    if pattern in _compiled_pos:
        return _compiled_pos[pattern]
    pieces = []
    optional = True
    for item in pattern.split():
        match = _ITEM.fullmatch(item)
        if match is None:
            raise ValueError(
                f"{item!r} is not a tag pattern; write TAG, TAG:lemma=go, TAG:word=gone or *:lemma=go with an optional ?, * or +"
            )
        tag, value, repeat = match["tag"], match["value"], match["repeat"]
        if tag != "*" and tag not in TAGS:
            raise ValueError(f"unknown tag {tag!r}; the tags are {', '.join(TAGS)}")
        values = "|".join(re2.escape(part) for part in value.lower().split("|")) if value else ""
        lemma = f"(?:{values})" if values and match["what"] != "word" else f"[^{TAG_MIDDLE}]*"
        word = f"(?:{values})" if values and match["what"] == "word" else f"[^{TAG_CLOSE}]*"
        pieces.append(f"(?:{TAG_OPEN}{'[A-Z]+' if tag == '*' else tag}:{lemma}{TAG_MIDDLE}{word}{TAG_CLOSE}){repeat}")
        optional &= repeat in ("?", "*")
    if optional:
        raise ValueError("the pattern can match nothing at all; make one item obligatory")
    try:
        _compiled_pos[pattern] = re2.compile("".join(pieces), _pos_options())
    except re2.error as error:
        raise ValueError(_detail(error)) from None
    return _compiled_pos[pattern]


_compiled_pos: dict[str, Any] = {}


def _pos_options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    return options

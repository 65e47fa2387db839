"""Regular expressions, compiled by RE2 and kept. Imports nothing of `rulenet`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import re2


def regex_options(*, case_sensitive: bool = False) -> Any:
    """RE2 options of every pattern in a rule file."""
    options = re2.Options()
    options.case_sensitive = case_sensitive
    options.log_errors = False
    options.never_capture = True
    return options


_compiled: dict[str, Any] = {}


def compile_regex(pattern: str) -> Any:
    """Compile an RE2 pattern, or raise a ValueError that says what to write instead; compiled patterns are kept."""
    if pattern not in _compiled:
        if len(_compiled) > 50_000:
            _compiled.clear()
        try:
            _compiled[pattern] = re2.compile(pattern, regex_options())
        except re2.error as error:
            raise ValueError(_advice(pattern, error)) from None
    return _compiled[pattern]


def fault_of(pattern: str, compile_pattern: Callable[[str], Any]) -> str | None:
    """Why a pattern does not compile, if so."""
    try:
        compile_pattern(pattern)
    except ValueError as error:
        return str(error)
    return None


def detail(error: Exception) -> str:
    """The reason that RE2 gives."""
    return error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)


def _advice(pattern: str, error: Exception) -> str:
    if re.search(r"\(\?<?[=!]", pattern):
        return "look-around is not supported by RE2; use `all`, `none` or `unless` instead"
    if re.search(r"(?<!\\)(?:\\\\)*\\[1-9]", pattern) or "(?P=" in pattern:
        return "back-references are not supported by RE2; spell the alternatives out"
    return f"not a regular expression that RE2 accepts: {detail(error)}; write a backslash before a character that is meant as itself"

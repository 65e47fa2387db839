"""Fields of a recipe as text, such as ``tune=LoRA(r=8)``: literals, words, and parts by their names. Imports the recipe.

The text is read as a tree of Python and only the nodes named below become values, so no code of it runs.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from rulenet.base.wording import close_to
from rulenet.errors import ParameterError
from rulenet.training.kinds import AUGMENTATIONS, OBJECTIVES, TUNINGS

KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in (*OBJECTIVES, *TUNINGS, *AUGMENTATIONS)}
WORDS = {"true": True, "false": False, "null": None, "none": None}


def settings(given: Iterable[str]) -> dict[str, Any]:
    """Fields from texts NAME=VALUE; the last one of a name counts.

    Examples
    --------
    >>> settings(["C=3", "long_texts=chunks", "tune=LoRA(r=4)", "augment=[Swap, TokenDropout(0.2)]", "nb=false"])
    {'C': 3, 'long_texts': 'chunks', 'tune': LoRA(r=4), 'augment': [Swap(), TokenDropout(p=0.2)], 'nb': False}
    """
    return dict(map(_setting, given))


def _setting(given: str) -> tuple[str, Any]:
    name, equals, text = given.partition("=")
    if not equals:
        raise ParameterError(f"recipe: {given!r} has no value: write NAME=VALUE, such as learning_rate=1e-5")
    try:
        return name.strip(), _parsed(text.strip())
    except ParameterError as error:
        raise ParameterError(f"recipe: {given}: {error}") from None


def _parsed(text: str) -> Any:
    is_word = not any(c in text for c in "([{")
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        if is_word:  # such as the name of an encoder or a folder
            return text
        raise ParameterError("this is neither a value of Python nor a part of a recipe, such as LoRA(r=8)") from None
    is_literal = isinstance(node, ast.Constant | ast.Name | ast.UnaryOp | ast.Tuple)
    return _value(node) if is_literal or not is_word else text


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(bool() | int() | float() | str() | None as value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
            return -value
        case ast.Name(word):
            return KINDS[word]() if word in KINDS else WORDS.get(word.lower(), word)
        case ast.Tuple(items):
            return tuple(map(_value, items))
        case ast.List(items):
            return list(map(_value, items))
        case ast.Call(ast.Name(kind), values, named) if all(one.arg for one in named):
            if kind not in KINDS:
                known = close_to(kind, KINDS) or f": there are {', '.join(KINDS)}"
                raise ParameterError(f"no part of a recipe is called {kind!r}{known}")
            return KINDS[kind](*map(_value, values), **{str(one.arg): _value(one.value) for one in named})
    raise ParameterError(f"{ast.unparse(node)} is no number, text, list or part of a recipe")

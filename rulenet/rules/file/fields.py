"""Types of single fields of a rule file. Imports pydantic and the codes."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from rulenet.errors import Code
from rulenet.rules.file import codes

MAX_WEIGHT = 20.0


def as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


# Editors read 007 and true as a number and a truth value; here every scalar is the text as written.
TEXT = {"type": ["string", "number", "boolean"]}
Text = Annotated[str, Field(min_length=1), WithJsonSchema(TEXT)]
OneOrMore = Annotated[
    list[Text],
    BeforeValidator(as_list),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [TEXT, {"type": "array", "minItems": 1, "items": TEXT}]}),
]


def shape(value: Any) -> str:
    return "mapping" if isinstance(value, (dict, BaseModel)) else "text"


# Members of a union are distinguished by shape, so that a bad value is reported once and not once per member.
Example = Annotated[
    Annotated[str, Tag("text")] | Annotated[dict[str, str], Tag("mapping"), Field(min_length=1)], Discriminator(shape)
]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Weight = Annotated[float, Field(ge=-MAX_WEIGHT, le=MAX_WEIGHT)]


IS_KIND = object()  # marks a field of a condition that is a kind of condition; one of them is filled
V = TypeVar("V")
KindOf = Annotated[V | None, IS_KIND]


class OptionOf(tuple[str, ...]):
    """Marks a field of a condition that is an option of these kinds only."""


def refusal(code: Code, message: str) -> PydanticCustomError:
    """The error that a validator raises; `reading/check.py` makes a fault of it."""
    return PydanticCustomError(code.name, message)


def check_bounds(value: Any) -> Any:
    """Refuse bounds that are missing, or that no number can meet."""
    low, high = value.at_least, value.at_most
    if low is None and high is None:
        raise refusal(codes.BAD_BOUNDS, "give at_least, at_most or both")
    if low is not None and high is not None and low > high:
        message = f"at_least {low} is more than at_most {high}, which no text can meet; correct one of them"
        raise refusal(codes.BAD_BOUNDS, message)
    return value

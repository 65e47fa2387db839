"""The rule file as data: what an author may write, with a description of every field. Imports pydantic only.

Adding a condition kind: a field on `Condition` here, a class in `conditions.py`, a line in the README's table, a test.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

PROTOCOL = 1
KINDS = ("any", "all", "none", "word", "phrase", "lexicon", "regex", "pos")
MAX_WEIGHT = 20.0


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


# Editors read 007 and true as a number and a truth value; here every scalar is the text as written.
_TEXT = {"type": ["string", "number", "boolean"]}
_Text = Annotated[str, Field(min_length=1), WithJsonSchema(_TEXT)]
_OneOrMore = Annotated[
    list[_Text],
    BeforeValidator(_as_list),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": _TEXT}]}),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Condition(_Strict):
    """One condition; exactly one kind per mapping. Combine several with any, all or none."""

    any: list[Condition] | None = Field(None, min_length=1, description="At least one of these conditions hits.")
    all: list[Condition] | None = Field(None, min_length=1, description="Every one of these conditions hits.")
    none: list[Condition] | None = Field(None, min_length=1, description="None of these conditions hits.")
    word: _OneOrMore | None = Field(
        None,
        description="A word or a list of words; whole words, case ignored. Chinese entries match anywhere in the text.",
    )
    phrase: _OneOrMore | None = Field(
        None, description="Words in a row; punctuation and spaces between them do not matter."
    )
    lexicon: _OneOrMore | None = Field(None, description="Name of a word list under `lexicons`.")
    regex: _OneOrMore | None = Field(
        None, description="Regular expression in RE2 syntax, case ignored; \\b and \\w are ASCII, no look-around."
    )
    pos: _OneOrMore | None = Field(
        None,
        description="Universal part-of-speech tags in a row, e.g. `DET? ADJ* NOUN:refund`; TAG, TAG:lemma, TAG:one|two or *:lemma.",
    )

    @model_validator(mode="after")
    def _exactly_one_kind(self) -> Condition:
        kinds = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            found = "none of them" if not kinds else " and ".join(kinds)
            raise PydanticCustomError(
                "one_kind",
                "give exactly one of {kinds}; found {found}. Combine several with any or all",
                {"kinds": ", ".join(KINDS), "found": found},
            )
        return self

    @property
    def kind(self) -> str:
        """Which field is set."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


class Examples(_Strict):
    """Texts that `rulenet rules test` runs the rule on."""

    match: list[str] = Field(default_factory=list, description="The rule must fire on each of these.")
    reject: list[str] = Field(default_factory=list, description="The rule must not fire on any of these.")


class Rule(Condition):
    """One rule: a condition, the label it is evidence for, and how its weight is learned."""

    id: Annotated[_Text, Field(max_length=200)] = Field(
        description="Unique name, by convention topic.detail in lower case."
    )
    label: _Text = Field(description="The label this rule is evidence for (or, with sign: against, evidence against).")
    unless: list[Condition] = Field(default_factory=list, description="If any of these hits, the rule does not fire.")
    negation: Literal["ignore", "skip"] = Field(
        "ignore", description="skip: a hit inside a negation (not good, 不好) does not count."
    )
    where: Literal["anywhere", "start", "end", "first_sentence"] = Field(
        "anywhere", description="Where a hit must lie to count: start and end are the first and last 20 words."
    )
    weight: Annotated[float, Field(ge=-MAX_WEIGHT, le=MAX_WEIGHT)] | None = Field(
        None, description="Starting weight in log-odds. Default 1 (-1 with sign: against)."
    )
    confidence: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="Instead of weight: how often the rule is right, converted to log-odds."
    )
    sign: Literal["for", "against", "free"] = Field(
        "for", description="for: the learned weight stays >= 0; against: <= 0; free: either."
    )
    pin: bool = Field(False, description="true: the weight is not learned.")
    examples: Examples = Field(
        default_factory=Examples, description="Texts the rule must fire on and must not fire on."
    )
    note: str = Field("", description="Why the rule exists.")

    @model_validator(mode="after")
    def _weight_agrees_with_sign(self) -> Rule:
        if self.weight is not None and self.confidence is not None:
            raise PydanticCustomError("two_weights", "give weight or confidence, not both")
        if self.sign == "for" and self.prior < 0:
            raise PydanticCustomError(
                "wrong_sign",
                "a rule with sign: for starts at {prior}; use sign: against, or sign: free",
                {"prior": f"{self.prior:.3g}"},
            )
        if self.sign == "against" and self.prior > 0:
            raise PydanticCustomError(
                "wrong_sign",
                "a rule with sign: against starts at {prior}; give a negative weight",
                {"prior": f"{self.prior:.3g}"},
            )
        return self

    @property
    def prior(self) -> float:
        """Starting weight in log-odds."""
        if self.confidence is not None:
            return math.log(self.confidence / (1 - self.confidence))
        if self.weight is not None:
            return self.weight
        return -1.0 if self.sign == "against" else 1.0


class LexiconRef(_Strict):
    """All entries of another lexicon."""

    lexicon: str = Field(description="Name of another lexicon of this file.")


def _entry_kind(value: Any) -> str:
    return "list" if isinstance(value, (dict, LexiconRef)) else "literal"


# Told apart by shape, so that a bad entry is reported once and not once per member of the union.
Entry = Annotated[
    Annotated[_Text, Tag("literal")] | Annotated[LexiconRef, Tag("list")],
    Discriminator(_entry_kind),
]


class RuleFile(_Strict):
    """A rulenet rule file."""

    rulenet: Literal["1"] = Field(
        description="Format version; 1.", json_schema_extra={"type": ["integer", "string"], "enum": [1, "1"]}
    )
    language: Literal["en", "zh", "any"] = Field(
        "any", description="Language of the texts; any: the model decides from its training texts."
    )
    labels: list[_Text] = Field(
        default_factory=list, description="The labels, in order of display. Default: those of the rules."
    )
    lexicons: dict[str, list[Entry]] = Field(
        default_factory=dict, description="Named word lists. An entry `lexicon: NAME` takes in another list."
    )
    rules: list[Rule] = Field(min_length=1, description="The rules; each becomes one column of R, in this order.")


def json_schema() -> dict[str, Any]:
    """JSON Schema of the rule file, for editors.

    Examples
    --------
    >>> json_schema()["required"]
    ['rulenet', 'rules']
    """
    schema = RuleFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    version = schema["properties"]["rulenet"]
    version.pop("const", None)
    return schema

"""The rule file as data: what an author may write, with a description of every field. Imports pydantic and what conditions are."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator

from rulenet.rules.file import codes
from rulenet.rules.file.condition import WrittenCondition
from rulenet.rules.file.fields import Example, OneOrMore, Strict, Text, Weight, refusal, shape

NO_LABEL = "give either label, or labels with a weight for each"


class Examples(Strict):
    """Texts that `rulenet rules test` runs the rule on; a record is written {title: …, body: …}."""

    match: list[Example] = Field(default_factory=list, description="The rule must fire on each of these.")
    reject: list[Example] = Field(default_factory=list, description="The rule must not fire on any of these.")


class Flip(Strict):
    """A negated hit is evidence for another label."""

    flip: Text = Field(description="The label that a negated hit is evidence for.")


class Rule(WrittenCondition):
    """One rule: a condition, the label it is evidence for, and how its weight is learned."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["label"]}, {"required": ["labels"]}]})

    id: Annotated[Text, Field(max_length=200)] = Field(description="Unique name, usually topic.detail in lower case.")
    label: Text | None = Field(None, description="The label it is evidence for (with sign: against, evidence against).")
    labels: dict[str, Weight] | None = Field(
        None, min_length=1, description="Instead of label and weight: starting weights in log-odds for several labels."
    )
    unless: list[WrittenCondition] = Field(default_factory=list, description="If one of these hits, it does not fire.")
    negation: Annotated[
        Annotated[Literal["ignore", "skip", "require"], Tag("text")] | Annotated[Flip, Tag("mapping")],
        Discriminator(shape),
    ] = Field(
        "ignore",
        description="skip: a hit inside a negation (not good, 不好) does not count, nor a near with such a term. "
        "require: at least one hit must be negated. {flip: LABEL}: such hits are evidence for that label, in a column of their own.",
    )
    where: Literal["anywhere", "start", "end", "first_sentence"] = Field(
        "anywhere", description="Where a hit must be to count: start and end are the first and last 20 words."
    )
    weight: Weight | None = Field(None, description="Starting weight in log-odds. Default 1 (-1 with sign: against).")
    confidence: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None, description="Instead of weight: how often the rule is right, converted to log-odds."
    )
    sign: Literal["for", "against", "free"] = Field(
        "for",
        description="for: the learned weight stays >= 0; against: <= 0; free: either. With labels: each keeps its sign, or free.",
    )
    pin: bool = Field(False, description="true: the weight is not learned.")
    enabled: bool = Field(True, description="false: the rule never fires, but keeps its place and weight.")
    since: datetime.date | None = Field(None, description="First day on which the rule fires, as 2026-01-31.")
    until: datetime.date | None = Field(None, description="Last day on which the rule fires, as 2026-12-31.")
    tags: list[Text] = Field(default_factory=list, description="Free keywords to find rules by.")
    examples: Examples = Field(default_factory=Examples, description="Texts it must fire on and must not fire on.")
    note: str = Field("", description="Why the rule exists.")

    @model_validator(mode="after")
    def _speaks_clearly(self) -> Rule:
        if (self.label is None) == (self.labels is None):
            raise refusal(codes.CONFLICTING_FIELDS, NO_LABEL)
        if self.weight is not None and self.confidence is not None:
            raise refusal(codes.CONFLICTING_FIELDS, "give weight or confidence, not both")
        if self.since is not None and self.until is not None and self.since > self.until:
            message = f"since {self.since} is after until {self.until}; swap them or correct one"
            raise refusal(codes.BAD_BOUNDS, message)
        if self.labels is not None:
            if self.weight is not None or self.confidence is not None:
                raise refusal(codes.CONFLICTING_FIELDS, "labels gives the weights; remove weight and confidence")
            if self.sign == "against":
                message = "sign: against cannot be combined with labels; give negative weights there"
                raise refusal(codes.WRONG_SIGN, message)
            if isinstance(self.negation, Flip):
                message = "negation: flip can be combined with label, not with labels; write two rules"
                raise refusal(codes.CONFLICTING_FIELDS, message)
            return self
        prior = self._prior
        if self.sign == "for" and prior < 0:
            message = f"a rule with sign: for cannot start at {prior:.3g}; use sign: against, or sign: free"
            raise refusal(codes.WRONG_SIGN, message)
        if self.sign == "against" and prior > 0:
            message = f"a rule with sign: against cannot start at {prior:.3g}; give a negative weight"
            raise refusal(codes.WRONG_SIGN, message)
        return self

    @property
    def _prior(self) -> float:
        if self.confidence is not None:
            return math.log(self.confidence / (1 - self.confidence))
        if self.weight is not None:
            return self.weight
        return -1.0 if self.sign == "against" else 1.0

    @property
    def evidence(self) -> dict[str, float]:
        """Starting weight, in log-odds, for each label that the rule is evidence for or against."""
        return dict(self.labels) if self.labels is not None else {str(self.label): self._prior}

    @property
    def supports(self) -> tuple[str, ...]:
        """The labels it is evidence for, not against."""
        return tuple(label for label, weight in self.evidence.items() if weight > 0)

    def is_right(self, label: str) -> bool:
        """Whether firing on a text with this label is right: the rule supports it or, if it supports none, is not evidence against it."""
        return label in self.supports if self.supports else label not in self.evidence

    def is_active(self, day: datetime.date) -> bool:
        """Whether it may fire on that day."""
        return self.enabled and (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


class LexiconRef(Strict):
    """All entries of another lexicon."""

    lexicon: str = Field(description="Name of another lexicon of this file.")


class LexiconFile(Strict):
    """All entries of a CSV file."""

    file: Text = Field(description="CSV file with the header term or term,weight, in this file's folder or below it.")


class WeightedTerm(Strict):
    """An entry that counts more or less than one hit under `count`."""

    term: Text = Field(description="A word or phrase.")
    weight: Weight = Field(description="What a hit adds to a count.")


def _entry_kind(value: Any) -> str:
    if not isinstance(value, (dict, BaseModel)):
        return "literal"
    keys = value if isinstance(value, dict) else type(value).model_fields
    return "file" if "file" in keys else "term" if "term" in keys else "list"


def _as_entries(value: Any) -> Any:
    return [value] if isinstance(value, (str, dict)) else value


LexiconEntry = Annotated[
    Annotated[Text, Tag("literal")]
    | Annotated[LexiconRef, Tag("list")]
    | Annotated[LexiconFile, Tag("file")]
    | Annotated[WeightedTerm, Tag("term")],
    Discriminator(_entry_kind),
]


Entries = Annotated[list[LexiconEntry], BeforeValidator(_as_entries)]


class Case(Strict):
    """A text and the label that the rules together should give it."""

    text: Example = Field(description="A text, or a record {title: …, body: …}.")
    label: Text = Field(description="The label with the most evidence, by the rules' starting weights.")


class RuleFile(Strict):
    """A rulenet rule file."""

    rulenet: Literal["1"] = Field(
        description="Format version; 1.", json_schema_extra={"type": ["integer", "string"], "enum": [1, "1"]}
    )
    language: Literal["en", "zh", "any"] = Field(
        "any", description="Language of the texts; any: the model decides from its training texts."
    )
    labels: list[Text] = Field(default_factory=list, description="The labels in order. Default: those of the rules.")
    include: OneOrMore = Field(
        default_factory=list,
        description="Other rule files, in this file's folder or below it; their lexicons and rules come first.",
    )
    fold_traditional: bool = Field(
        False, description="true: traditional and simplified Chinese characters are the same (軟件 = 软件)."
    )
    words: list[Text] = Field(
        default_factory=list, description="Chinese words and names that jieba should know, for `segmented` and `pos`."
    )
    negation_cues: list[Text] = Field(default_factory=list, description="Further words that negate what follows.")
    lexicons: dict[str, Entries] = Field(
        default_factory=dict,
        description="Named word lists. An entry `lexicon: NAME` takes in another list, `file: NAME.csv` a CSV file.",
    )
    rules: list[Rule] = Field(default_factory=list, description="The rules, each one column of R, in this order.")
    cases: list[Case] = Field(default_factory=list, description="Texts with the label the rules together should give.")


def json_schema() -> dict[str, Any]:
    """JSON Schema of the rule file, for editors; ``rulenet/rulenet.schema.json`` is a copy of it.

    Examples
    --------
    >>> json_schema()["required"]
    ['rulenet']
    """
    schema = RuleFile.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    version = schema["properties"]["rulenet"]
    version.pop("const", None)
    return schema


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _models_under(model: type[BaseModel], found: dict[str, type[BaseModel]]) -> dict[str, type[BaseModel]]:
    for name, field in model.model_fields.items():
        for inner in _models_in(field.annotation):
            if name not in found:
                found[name] = inner
                _models_under(inner, found)
    return found


# Which fields a mapping has, by the key above it.
MODELS = _models_under(RuleFile, {})

"""A condition as an author writes it, with a description of every field. Imports pydantic and the types of fields.

A kind of condition is one line here, a field of `WrittenCondition` of the type `KindOf[...]`; everything else about it is in
`rules/conditions/`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from rulenet.rules.file import codes
from rulenet.rules.file.fields import IS_KIND, KindOf, OneOrMore, OptionOf, Strict, Text, check_bounds, refusal, shape

MAX_GAP = 50
_LITERALS = OptionOf(("word", "phrase", "lexicon", "starts", "ends"))


class WrittenNear(Strict):
    """Several things close to each other."""

    terms: list[
        Annotated[Annotated[Text, Tag("text")] | Annotated[WrittenCondition, Tag("mapping")], Discriminator(shape)]
    ] = Field(
        min_length=2,
        max_length=6,
        description="What must be close together: words or phrases, or conditions such as {lexicon: teams}.",
    )
    within: Annotated[int, Field(ge=0, le=MAX_GAP)] | None = Field(
        None, description="At most this many words (Chinese: characters) between one hit and the next. Default 5."
    )
    same: Literal["sentence"] | None = Field(None, description="sentence: instead of within, all in the same sentence.")
    ordered: bool = Field(False, description="true: in the order given.")

    @model_validator(mode="after")
    def _one_measure(self) -> WrittenNear:
        if self.within is not None and self.same is not None:
            raise refusal(codes.CONFLICTING_FIELDS, "give within or same, not both")
        return self

    @property
    def conditions(self) -> list[WrittenCondition]:
        """The terms, plain words and phrases as conditions too."""
        return [WrittenCondition.model_validate({"word": [t]}) if isinstance(t, str) else t for t in self.terms]


class WrittenLength(Strict):
    """How long the text is."""

    at_least: Annotated[int, Field(ge=0)] | None = Field(None, description="Fewest words or characters.")
    at_most: Annotated[int, Field(ge=0)] | None = Field(None, description="Most words or characters.")
    unit: Literal["words", "characters"] = Field("words", description="What is counted; a Chinese character is a word.")

    _has_bounds = model_validator(mode="after")(check_bounds)


class WrittenCondition(Strict):
    """One condition; exactly one kind per mapping. Combine several with any, all or none."""

    any: KindOf[list[WrittenCondition]] = Field(None, min_length=1, description="One or more of these conditions hit.")
    all: KindOf[list[WrittenCondition]] = Field(None, min_length=1, description="Every one of these conditions hits.")
    none: KindOf[list[WrittenCondition]] = Field(None, min_length=1, description="None of these conditions hits.")
    word: KindOf[OneOrMore] = Field(
        None,
        description="A whole word or a list of them, case ignored. Chinese entries match anywhere in the text, white space ignored; "
        "Latin words and numbers inside them are whole words too.",
    )
    phrase: KindOf[OneOrMore] = Field(
        None, description="Words in a row; spaces and (but in Chinese entries) punctuation are ignored."
    )
    lexicon: KindOf[OneOrMore] = Field(None, description="Name of a word list under `lexicons`.")
    starts: KindOf[OneOrMore] = Field(None, description="Words or phrases that the text begins with.")
    ends: KindOf[OneOrMore] = Field(None, description="Words or phrases that the text ends with.")
    regex: KindOf[OneOrMore] = Field(
        None, description="Regular expression in RE2 syntax, case ignored; \\b and \\w are ASCII, no look-around."
    )
    pos: KindOf[OneOrMore] = Field(
        None,
        description="Universal part-of-speech tags in a row, e.g. `DET? ADJ* NOUN:lemma=refund`; TAG, TAG:lemma=a|b, TAG:word=a|b "
        "(TAG:a means lemma), * for any tag; each with an optional ?, * or +.",
    )
    near: KindOf[WrittenNear] = Field(None, description="Several words, phrases or conditions close to each other.")
    count: KindOf[WrittenCount] = Field(
        None, description="How many hits a condition has, e.g. {word: [great, good], at_least: 3}."
    )
    length: KindOf[WrittenLength] = Field(None, description="How long the text is, e.g. {at_most: 5}.")
    lang: KindOf[Literal["en", "zh"]] = Field(None, description="The language this text is written in.")
    case: Annotated[Literal["ignore", "exact"], OptionOf((*_LITERALS, "regex"))] = Field(
        "ignore", description="exact: upper and lower case as written here."
    )
    forms: Annotated[Literal["exact", "lemma"], _LITERALS] = Field(
        "exact", description="lemma: every form of each word too (English: refund, refunds, refunded, refunding)."
    )
    segmented: Annotated[bool, _LITERALS] = Field(
        False, description="true: a Chinese hit must begin and end where jieba parts words: 球 is not found in 地球."
    )
    gap: Annotated[int, Field(ge=0, le=MAX_GAP), OptionOf(("phrase",))] = Field(
        0, description="Up to this many other words (Chinese: characters) may be between two words of the phrase."
    )
    field: Text | None = Field(None, description="Hits count only in this field of a record, such as title or body.")

    @model_validator(mode="after")
    def _exactly_one_kind(self) -> WrittenCondition:
        given = self.model_fields_set
        kinds = [kind for kind in KIND_FIELDS if kind in given and getattr(self, kind) is not None]
        if len(kinds) != 1:
            empty = [kind for kind in KIND_FIELDS if kind in given and kind not in kinds]
            why = (
                f", as {' and '.join(empty)} is empty; quote a text such as 'null', '~' or '#1'"
                if empty and not kinds
                else ""
            )
            message = f"give exactly one of {', '.join(KIND_FIELDS)}; found {' and '.join(kinds) or 'nothing'}{why}"
            raise refusal(codes.ONE_KIND, f"{message}. Combine several with any or all")
        misplaced = [
            f"{option} (an option of {', '.join(takers)})"
            for option, takers in OPTIONS.items()
            if option in given and kinds[0] not in takers and self.is_set(option)
        ]
        if misplaced:
            message = f"{kinds[0]} has no option {' and no option '.join(misplaced)}; move it to the condition it is meant for"
            raise refusal(codes.MISPLACED_OPTION, message)
        if self.case == "exact" and self.forms == "lemma":
            message = "case: exact and forms: lemma cannot be combined, as forms are found in lower case; remove one"
            raise refusal(codes.CONFLICTING_FIELDS, message)
        return self

    @property
    def kind(self) -> str:
        """Which field is set."""
        for kind in KIND_FIELDS:
            if getattr(self, kind) is not None:
                return kind
        raise ValueError("a condition without a kind was made without validation")

    def is_set(self, option: str) -> bool:
        """Whether an option differs from its default."""
        return bool(getattr(self, option) != type(self).model_fields[option].default)


class WrittenCount(WrittenCondition):
    """How many hits a condition has; an entry of a weighted lexicon counts with its weight."""

    at_least: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(None, description="Fewest hits.")
    at_most: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(None, description="Most hits.")

    _has_bounds = model_validator(mode="after")(check_bounds)


for _model in (WrittenNear, WrittenCondition, WrittenCount):
    _model.model_rebuild()
del _model

KIND_FIELDS = tuple(name for name, field in WrittenCondition.model_fields.items() if IS_KIND in field.metadata)
# Options, and the kinds of condition that have each of them; all have `field`.
OPTIONS = {
    name: role
    for name, field in WrittenCondition.model_fields.items()
    for role in field.metadata
    if isinstance(role, OptionOf)
}

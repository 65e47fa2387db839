"""The words of a text as given, and which of them an augmentation may change. Imports text and rules; no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rulenet.rules.ruleset import RuleSet
from rulenet.text.clean import clean_with_offsets
from rulenet.text.language import Language
from rulenet.text.tokenise import Tokeniser

Span = tuple[int, int]


@dataclass(frozen=True)
class Words:
    """A text cut into words and what is between them.

    Examples
    --------
    >>> words = WordFinder().of("The cat, the big dog")
    >>> words.words, words.joined(["A", "", "the", "", "dog"])
    (['The', 'cat', 'the', 'big', 'dog'], 'A, the dog')
    """

    text: str
    spans: Sequence[Span]  # of each word
    is_free: Sequence[bool]  # whether each word may be changed
    finder: WordFinder

    @property
    def words(self) -> list[str]:
        """The words, in order."""
        return [self.text[start:end] for start, end in self.spans]

    def joined(self, words: Sequence[str]) -> str:
        """The text with other words in their places; an empty one goes with the white space before it."""
        parts, at = [], 0
        starts = {start for start, _ in self.spans}
        for (start, end), word in zip(self.spans, words, strict=True):
            between = self.text[at:start]
            # Where the next word follows at once, as 's does, the space keeps it from the one before.
            parts += [between if word or end in starts else between.rstrip(), word]
            at = end
        return "".join([*parts, self.text[at:]])


class WordFinder:
    """Cuts texts into words, as φ's terms are; each text once.

    Parameters
    ----------
    tokeniser
        Says what a word is.
    rules, keep_spans
        The rules of the model, and whether words under the spans on which they fire may not be changed.
    near
        Makes `like`, when it is first asked for.
    """

    def __init__(
        self,
        tokeniser: Tokeniser | None = None,
        rules: RuleSet | None = None,
        *,
        keep_spans: bool = False,
        near: Callable[[WordFinder], Mapping[str, Sequence[str]]] = lambda finder: {},
    ) -> None:
        self.tokeniser, self.rules, self.keep_spans = tokeniser or Tokeniser("en"), rules, keep_spans
        self._near, self._found = near, dict[str, Words]()

    @cached_property
    def like(self) -> Mapping[str, Sequence[str]]:
        """For words of the texts, words like them."""
        return self._near(self)

    @property
    def language(self) -> Language:
        """Language of the texts."""
        return self.tokeniser.language

    def of(self, text: str) -> Words:
        """The words of a text, punctuation left out; places are those in the text as given."""
        if text not in self._found:
            self._found[text] = self._cut(text)
        return self._found[text]

    def _cut(self, text: str) -> Words:
        cleaned, spans, reach = clean_with_offsets(text), list[Span](), 0
        for token in self.tokeniser.tokens(cleaned.text):
            span = cleaned.original_span(token.start, token.end)
            # Two words may come from one character: ½ is read as 1⁄2.
            if span[0] >= reach and any(map(str.isalnum, token.text)):
                spans.append(span)
                reach = span[1]
        hits = self.rules.spans(text, language=self.language).values() if self.rules and self.keep_spans else ()
        kept = [hit for of_rule in hits for hit in of_rule]
        is_free = [not any(start < b and a < end for a, b in kept) for start, end in spans]
        return Words(text, spans, is_free, self)

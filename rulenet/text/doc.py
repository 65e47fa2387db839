"""One text with everything that the slower steps need to know about it, computed once and on demand. Imports only `rulenet.text`."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import deque
from functools import cached_property
from itertools import accumulate, islice

from rulenet.text.clean import Cleaned, clean_with_offsets
from rulenet.text.fold import words_with_offsets
from rulenet.text.han import simplified
from rulenet.text.language import Language, detect_language
from rulenet.text.raw import BORDER, fold_case, part_fields, squeeze
from rulenet.text.record import Record
from rulenet.text.tag import TaggedToken, Tagger
from rulenet.text.words import SPECIAL, UNSPACED, plain, unit_spans

# Length of the opening and the closing of a text, in words or Chinese characters.
REGION = 20
TAG_OPEN, TAG_MIDDLE, TAG_CLOSE = "\x01", "\x03", "\x02"  # cleaned text has no control characters
# A full stop after an initial or a common abbreviation (U.S., No., Inc.) does not end a sentence.
_SENTENCE_END = re.compile(
    rf"""(?: (?<! \b[A-Za-z] )
            (?<! \b(?i:Mr|Ms|Dr|Jr|Sr|vs) ) (?<! \b(?i:Mrs|Inc|Ltd) ) (?<! \b(?i:Corp|Prof) )
            (?<! \b(?:St|No|Co) )            # not "he said no."
            (?<! \b(?:Gen|Sen|Rep|Gov|Sgt|Jan|Feb|Mar|Apr|Aug|Sep|Oct|Nov|Dec) )
            (?<! \b(?:Sept|Capt) ) \.
        | [!?] ) ["')\]]* \s
        | [!?] ["'”’」』)\]]* (?= [{UNSPACED}] )  # ！ and ？ before cleaning
        | 。["'”’」』)\]]* | \n""",
    re.VERBOSE,
)


class Doc:
    """A text and its views; all positions refer to the cleaned text, which may be passed if it is known.

    Examples
    --------
    >>> from rulenet.text.tokenise import Tokeniser
    >>> doc = Doc("Oil &amp; gas fall. Again.", Tagger(Tokeniser("en")))
    >>> doc.clean, doc.first_sentence_end
    ('Oil & gas fall. Again.', 16)
    """

    def __init__(self, text: str, tagger: Tagger, *, fold_traditional: bool = False, clean: str | None = None) -> None:
        self.text = text
        self._tagger = tagger
        self._fold_traditional = fold_traditional
        self._name: str | None = None
        self.offset = 0  # of a field: where it begins in the whole text
        self._parts: dict[str, Doc | None] = {}
        if clean is not None:
            self.clean = clean

    @cached_property
    def cleaned(self) -> Cleaned:
        """The cleaned text with the map back to the original."""
        return clean_with_offsets(self.text)

    @cached_property
    def clean(self) -> str:
        """The cleaned text that rules read."""
        text = self.cleaned.text
        return simplified(text) if self._fold_traditional else text

    @cached_property
    def fields(self) -> dict[str, tuple[int, int]]:
        """Start and end of each field of a record; empty for a plain text."""
        if self._name is not None:
            return {self._name: (0, len(self.clean))}
        found = self.text.fields if isinstance(self.text, Record) else {}
        return {name: (self.cleaned.new_position(a), self.cleaned.new_position(b)) for name, (a, b) in found.items()}

    def part(self, name: str) -> Doc | None:
        """Return one field of a record as a text of its own; None if there is no such field."""
        if name not in self._parts:
            place = self.fields.get(name)
            part = None if place is None else Doc("", self._tagger, clean=self.clean[slice(*place)])
            if part is not None:
                part._name, part.offset = name, self.offset + (place[0] if place else 0)
            self._parts[name] = part
        return self._parts[name]

    def field_start(self, position: int) -> int:
        """Return the start of the field that contains a position; 0 in a plain text."""
        return next((start for start, end in self.fields.values() if start <= position <= end), 0)

    @cached_property
    def language(self) -> Language:
        """The language of the text, detected."""
        return detect_language([self.clean])

    @cached_property
    def words(self) -> list[tuple[str, int, int]]:
        """Case-folded words, each with start and end."""
        return words_with_offsets(self.clean)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Indices of each word in `words`."""
        found: dict[str, list[int]] = {}
        for i, (word, _, _) in enumerate(self.words):
            found.setdefault(word, []).append(i)
        return found

    @cached_property
    def squeezed(self) -> str:
        """The cleaned text as literals in scripts without spaces are searched in it."""
        is_record = isinstance(self.text, Record) or self._name is not None
        return squeeze(part_fields(self.clean) if is_record else self.clean)

    @cached_property
    def raw(self) -> str:
        """The same, case-folded."""
        return fold_case(self.squeezed)

    @cached_property
    def _raw_places(self) -> tuple[list[int], list[int]]:
        """Number of characters of the text before each place of `raw`, and the place of each in the text."""
        before = accumulate((char != BORDER for char in self.raw), initial=0)
        return list(before), [i for i, char in enumerate(self.clean) if not char.isspace()]

    def raw_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the place in the text of a stretch of `raw` or `squeezed`.

        Examples
        --------
        >>> from rulenet.text.tokenise import Tokeniser
        >>> doc = Doc("成为 VIP  会员", Tagger(Tokeniser("zh")))
        >>> doc.raw_span(doc.raw.index("会员"), len(doc.raw))
        (8, 10)
        """
        before, places = self._raw_places
        return places[before[start]], places[before[end] - 1] + 1

    @cached_property
    def tagged(self) -> list[TaggedToken]:
        """Tokens with tags and lemmas."""
        return self._tagger.tag(self.clean)

    @cached_property
    def tag_line(self) -> tuple[str, dict[int, int], dict[int, int]]:
        """The tokens as one string of `TAG_OPEN` TAG:lemma `TAG_MIDDLE` word `TAG_CLOSE`, and two maps from it to the text.

        The maps give, for each place in the string where a token begins or ends, the start or end of that token in the text.
        """
        begins, ends, line = dict[int, int](), dict[int, int](), ""
        spelling = plain if SPECIAL.search(self.clean) else str
        for token in self.tagged:
            begins[len(line)] = token.start
            line += f"{TAG_OPEN}{token.tag}:{token.lemma}{TAG_MIDDLE}{spelling(token.text).lower()}{TAG_CLOSE}"
            ends[len(line)] = token.end
        return line, begins, ends

    @cached_property
    def boundaries(self) -> frozenset[int]:
        """Where tokens begin and end."""
        tokens = self._tagger.tokeniser.tokens(self.clean)
        return frozenset(edge for token in tokens for edge in (token.start, token.end))

    @cached_property
    def units(self) -> list[tuple[int, int]]:
        """Start and end of each word; a Chinese character counts as a word."""
        return list(unit_spans(self.clean))

    @cached_property
    def _unit_starts(self) -> list[int]:
        return [start for start, _ in self.units]

    def after_units(self, end: int, n: int) -> float:
        """Return the last position that has at most `n` words or Chinese characters between `end` and itself.

        Examples
        --------
        >>> from rulenet.text.tokenise import Tokeniser
        >>> Doc("the coach was fired", Tagger(Tokeniser("en"))).after_units(9, 1)
        14
        """
        i = bisect_left(self._unit_starts, end) + n
        return self._unit_starts[i] if i < len(self._unit_starts) else math.inf

    @cached_property
    def sentence_ends(self) -> list[int]:
        """End of each sentence."""
        return [match.end() for match in _SENTENCE_END.finditer(self.clean)] + [len(self.clean)]

    @cached_property
    def first_sentence_end(self) -> int:
        """End of the first sentence; blank lines and marks before its first word belong to it."""
        first = next(unit_spans(self.clean), None)
        found = _SENTENCE_END.search(self.clean, first[1]) if first else None
        return found.end() if found else len(self.clean)

    @cached_property
    def opening_end(self) -> int:
        """Start of the word after the first `REGION` words, or the end of a shorter text."""
        after = next(islice(unit_spans(self.clean), REGION, None), None)
        return after[0] if after else len(self.clean)

    @cached_property
    def closing_start(self) -> int:
        """End of the word before the last `REGION` words, or the beginning of a shorter text."""
        ends = deque((end for _, end in unit_spans(self.clean)), maxlen=REGION + 1)
        return ends[0] if len(ends) > REGION else 0

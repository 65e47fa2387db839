"""Tokens → part-of-speech tags (Universal Dependencies) and lemmas. Taggers are imported when first used.

Chinese: jieba.posseg. English: TextBlob's PatternTagger and simplemma's lemmas (extra ``pos``). Both English ones use
a lexicon, are fast (about 10 µs per sentence each) and need no download.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from rulenet.base.extras import need
from rulenet.text.tokenise import Tokeniser, import_jieba, stretches
from rulenet.text.words import SPECIAL, plain

_UNIVERSAL = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"
TAGS = _UNIVERSAL.split()  # https://universaldependencies.org/u/pos/


def _table(pairs: str) -> dict[str, str]:
    return dict(pair.split(":") for pair in pairs.split())


# Penn Treebank → UD, https://universaldependencies.org/tagset-conversion/en-penn-uposf.html; prefixes, longest first.
_PENN = _table("""
NNP:PROPN NN:NOUN VB:VERB MD:AUX JJ:ADJ RB:ADV RP:ADP PRP:PRON WP:PRON EX:PRON DT:DET PDT:DET WDT:DET WRB:ADV IN:ADP
TO:PART POS:PART CC:CCONJ CD:NUM UH:INTJ SYM:SYM $:SYM #:SYM FW:X LS:X
""")
_AUXILIARY = "am is are was were be been being 's 're 'm has have had do does did"
_AUXILIARIES = frozenset(_AUXILIARY.split())
# Past forms that are also words in their own right: simplemma returns those whatever the tag is.
PAST = _table("""
bent:bend bit:bite bore:bear bound:bind broke:break dove:dive felt:feel ground:grind left:leave rose:rise
shook:shake shot:shoot swore:swear thought:think won:win wound:wind
""")
# ICTCLAS tags of jieba → UD, by prefix.
_ICTCLAS = _table("""
nr:PROPN ns:PROPN nt:PROPN nz:PROPN n:NOUN vn:NOUN v:VERB a:ADJ b:ADJ z:ADJ ad:ADV an:NOUN d:ADV f:NOUN s:NOUN
t:NOUN m:NUM q:NOUN r:PRON p:ADP c:CCONJ u:PART y:PART e:INTJ o:INTJ i:X l:X j:PROPN x:X w:PUNCT eng:X g:NOUN h:PART
k:PART
""")


class TaggedToken(NamedTuple):
    """A token with its tag and lemma; `start` and `end` refer to the cleaned text."""

    text: str
    start: int
    end: int
    tag: str
    lemma: str


class Tagger:
    """Part-of-speech tagger for cleaned texts, in the language of its tokeniser.

    Examples
    --------
    >>> [(t.tag, t.lemma) for t in Tagger(Tokeniser("en")).tag("Lakers beat the Celtics")]
    [('PROPN', 'lakers'), ('VERB', 'beat'), ('DET', 'the'), ('PROPN', 'celtics')]
    """

    def __init__(self, tokeniser: Tokeniser) -> None:
        self.tokeniser = tokeniser

    def tag(self, text: str) -> list[TaggedToken]:
        """Return the tokens of a cleaned text with tags and lemmas."""
        return self._tag_zh(text) if self.tokeniser.language == "zh" else self._tag_en(text)

    def _tag_en(self, text: str) -> list[TaggedToken]:
        tokens = self.tokeniser.tokens(text)
        spelling = plain if SPECIAL.search(text) else str
        tagged = self._english.find_tags([spelling(token.text) for token in tokens])
        return [
            TaggedToken(*token, *_ud_and_lemma(word, penn))
            for token, (word, penn, *_) in zip(tokens, tagged, strict=True)
        ]

    def _tag_zh(self, text: str) -> list[TaggedToken]:
        out, at = [], 0
        for _, part in stretches(text):
            for word, flag in self._chinese.cut(part):
                # posseg keeps every character in order, so lengths alone give the offsets.
                if not word.isspace():
                    out.append(TaggedToken(word, at, at + len(word), ictclas_to_ud(word, flag), word.casefold()))
                at += len(word)
        return out

    @cached_property
    def _english(self) -> Any:
        return need("textblob.en", purpose="Part-of-speech tagging in English").parser

    @cached_property
    def _chinese(self) -> Any:
        import_jieba()
        import jieba.posseg

        return jieba.posseg.POSTokenizer(self.tokeniser.jieba)

    def __getstate__(self) -> dict[str, Any]:
        return {"tokeniser": self.tokeniser}


@lru_cache(maxsize=100_000)
def _ud_and_lemma(word: str, penn: str) -> tuple[str, str]:
    """Return the universal tag and the lemma of an English word."""
    simplemma = need("simplemma", purpose="Part-of-speech tagging in English")
    tag = penn_to_ud(word, penn)
    lemma = PAST.get(word.lower()) if tag == "VERB" else None
    return tag, lemma or simplemma.lemmatize(word, lang="en").lower()


def penn_to_ud(word: str, penn: str) -> str:
    """Convert a Penn Treebank tag to a universal tag.

    Examples
    --------
    >>> penn_to_ud("won", "VBD"), penn_to_ud("was", "VBD"), penn_to_ud(",", ",")
    ('VERB', 'AUX', 'PUNCT')
    """
    if penn.startswith("VB") and word.lower() in _AUXILIARIES:
        return "AUX"
    other = "X" if any(map(str.isalnum, word)) else "PUNCT"
    return next((_PENN[penn[:n]] for n in (3, 2, 1) if penn[:n] in _PENN), other)


def ictclas_to_ud(word: str, flag: str) -> str:
    """Convert an ICTCLAS tag, as jieba gives it, to a universal tag.

    Examples
    --------
    >>> ictclas_to_ud("北京", "ns"), ictclas_to_ud("跑", "v"), ictclas_to_ud("，", "x")
    ('PROPN', 'VERB', 'PUNCT')
    """
    if not any(map(str.isalnum, word)):
        return "PUNCT"
    return next((_ICTCLAS[flag[:n]] for n in (3, 2, 1) if flag[:n] in _ICTCLAS), "X")

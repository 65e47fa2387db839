"""All inflected forms of an English word, from simplemma's dictionary read backwards. Imports simplemma when first used (extra ``pos``)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rulenet.base.extras import need
from rulenet.text.tag import PAST

_PURPOSE = "forms: lemma in a rule file"
# What the dictionary lists as forms of be, do, have … but is only a piece of a contraction, or one without its apostrophe.
_PIECES = "ai ain aren couldn didn doesn don hadn hasn haven isn mustn needn shan shouldn wasn weren wouldn ca wo ll m re ve d s t nt dont"
_PIECE = frozenset(_PIECES.split())


@lru_cache(maxsize=1)
def _forms_of_lemma() -> dict[str, set[str]]:
    need("simplemma", purpose=_PURPOSE)
    dictionaries = need("simplemma.strategies.dictionaries.dictionary_factory", purpose=_PURPOSE)
    found: dict[str, set[str]] = {}
    for form, lemma in dictionaries.DefaultDictionaryFactory().get_dictionary("en").items():
        found.setdefault(_text(lemma).casefold(), set()).add(_text(form).casefold())
    return found


def _text(entry: Any) -> str:
    return entry.decode() if isinstance(entry, bytes) else str(entry)


def forms(word: str) -> frozenset[str]:
    """Return a case-folded word with all forms of its lemma; a word that is not in the dictionary gets a plural in -s.

    Examples
    --------
    >>> sorted(forms("refund"))
    ['refund', 'refunded', 'refunding', 'refunds']
    >>> "won" in forms("win"), "wins" in forms("won"), "isn" in forms("be")
    (True, True, False)
    """
    simplemma = need("simplemma", purpose=_PURPOSE)
    known = _forms_of_lemma()
    lemma = PAST.get(word) or simplemma.lemmatize(word, lang="en").casefold()
    if not word.isalnum():
        return frozenset({word})  # a contraction, or the possessive 's
    listed = known.get(lemma, set()) | known.get(word, set()) | {past for past, base in PAST.items() if base == lemma}
    whole = {form for form in listed if form.isalnum() and form not in _PIECE}
    return frozenset({word, lemma, *whole} if listed else {word, f"{word}s"})

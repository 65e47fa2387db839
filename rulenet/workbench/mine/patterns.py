"""Texts → part-of-speech patterns around one word: `VERB:lemma=beat PROPN`. Imports `rulenet.text`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from rulenet.text.clean import clean
from rulenet.text.tag import Tagger
from rulenet.workbench.mine.terms import FUNCTION_WORDS, Terms, presence

_PLAIN = re.compile(r"\w+")
# The word itself, the position of its neighbour, and the tags of that neighbour: a verb before a name, a noun after a number …
_SHAPES = (
    ("VERB", -1, ("PROPN", "NUM")),
    ("VERB", 1, ("PROPN", "NUM")),
    ("NOUN", -1, ("PROPN", "NUM")),
    ("NOUN", 1, ("PROPN", "NUM")),
)


def extract_patterns(texts: Sequence[str], tagger: Tagger, *, min_texts: int = 5) -> Terms:
    """Find patterns of one word and the tag of its neighbour that occur in at least `min_texts` of the texts.

    Raises
    ------
    MissingExtraError
        For English, if the extra ``pos`` is not installed.

    Examples
    --------
    >>> from rulenet.text.tokenise import Tokeniser
    >>> found = extract_patterns(["The Lakers beat Celtics", "The Giants beat Chelsea"], Tagger(Tokeniser("en")), min_texts=2)
    >>> sorted(found.names)
    ['PROPN VERB:lemma=beat', 'PROPN VERB:lemma=beat PROPN', 'VERB:lemma=beat PROPN']
    """
    rows = [set(_patterns(clean(text), tagger)) for text in texts]
    counts = Counter(pattern for row in rows for pattern in row)
    names = [name for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if n >= min_texts]
    index = {name: j for j, name in enumerate(names)}
    columns = [sorted(index[name] for name in row if name in index) for row in rows]
    return Terms(names, names, presence(columns, len(names)))


def _patterns(text: str, tagger: Tagger) -> Iterator[str]:
    tokens = tagger.tag(text)
    tags = [token.tag for token in tokens]
    for i, token in enumerate(tokens):
        if not _PLAIN.fullmatch(token.lemma) or token.lemma in FUNCTION_WORDS or len(token.lemma) < 2:
            continue
        word = f"{token.tag}:lemma={token.lemma}"
        for tag, step, neighbours in _SHAPES:
            if token.tag == tag and 0 <= i + step < len(tokens) and tags[i + step] in neighbours:
                yield f"{tags[i + step]} {word}" if step < 0 else f"{word} {tags[i + step]}"
        if token.tag == "VERB" and 0 < i < len(tokens) - 1 and tags[i - 1] == tags[i + 1] == "PROPN":
            yield f"PROPN {word} PROPN"

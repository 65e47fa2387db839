"""Texts → part-of-speech patterns around one word: `VERB:lemma=beat PROPN`. Imports `rulenet.text`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rulenet.text.clean import clean
from rulenet.text.tag import Tagger
from rulenet.workbench.mine.terms import FUNCTION_WORDS, Terms, presence


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
        if not token.lemma[:1].isalnum() or token.lemma in FUNCTION_WORDS or len(token.lemma) < 2:
            continue
        word = f"{token.tag}:lemma={token.lemma}"
        before, after = tags[i - 1] if i else "", tags[i + 1] if i + 1 < len(tags) else ""
        if token.tag in ("VERB", "NOUN") and before in ("PROPN", "NUM"):
            yield f"{before} {word}"
        if token.tag in ("VERB", "NOUN") and after in ("PROPN", "NUM"):
            yield f"{word} {after}"
        if token.tag == "VERB" and before == after == "PROPN":
            yield f"PROPN {word} PROPN"

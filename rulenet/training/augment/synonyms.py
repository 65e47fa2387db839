"""Words are replaced by words like them, as an encoder's vectors of single words say (see `rulenet.model.word_reader`).

WordNet would need a download: no package on the index carries it in a form that runs no code. Vectors do for every language. Those
with a cosine of at least 0.6 are other forms of MiniLM's words (prices, priced) and near synonyms (good: excellent, great), as with e5
(好吃: 美味). They also know opposites (buy: sell 0.68). Those with a prefix that negates (unhappy) and all but the nearest three are left
out, but not every opposite is: keep `p` low where single words turn the label. Two words in five of English news can be replaced.

Left alone are numbers, what negates, what rules name, and words with a capital letter, most of which are names (Bush).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from rulenet.base.types import Array
from rulenet.model.word_reader import WordReader
from rulenet.rules.conditions.condition import atoms_of
from rulenet.rules.engine.negation import Negation
from rulenet.rules.ruleset import RuleSet
from rulenet.text.language import Language, script
from rulenet.text.raw import readable
from rulenet.training.augment.augmentation import Augmentation, Chance
from rulenet.training.augment.words import WordFinder, Words
from rulenet.training.parts import part

NEAREST, LEAST = 3, 0.6  # words that may replace a word, and their cosine
VOCABULARY = 20_000  # the most frequent words of the encoder
_NUMBER = re.compile(
    "(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|first|second|third|hundred|thousand|[bmtr]+illion)s?"
    "|[a-z]+(teen|ty|th)|[零〇一二两三四五六七八九十百千万亿第]+|.*[0-9].*"
)
_OPPOSITE = re.compile("(?:un|in|im|ir|il|dis|non|不|没|无|非)(.{1,4})")


@part
class Synonyms(Augmentation):
    """Replace words by words like them.

    Attributes
    ----------
    p
        Chance of each word that has any.
    """

    p: Chance = 0.1

    def apply(self, words: list[str], is_free: list[bool], text: Words, rng: np.random.Generator) -> list[str]:
        """As many words, some of them others."""
        like, chances, which = text.finder.like, rng.random(len(words)), rng.random(len(words))
        found = list(words)
        for i in np.flatnonzero((chances < self.p) & np.array(is_free, dtype=bool)).tolist():
            near = like.get(words[i])
            if near:
                found[i] = near[int(which[i] * len(near))]
        return found

    def prepare(self, finder: WordFinder) -> None:
        """Read the vectors."""
        _ = finder.like


def like_words(encoder: str, texts: Sequence[str], finder: WordFinder, device: str) -> Mapping[str, Sequence[str]]:
    """For each word of the texts that may be replaced, up to three words that are like it, the nearest first."""
    reader, language, ruleset = WordReader(encoder, device=device), finder.language, finder.rules
    present = {word for text in texts for word in finder.of(text).words}
    scripts = {script(word[0]) for word in present}
    known = [word for word in reader.own if len(word) > 1 and all(script(letter) in scripts for letter in word)]
    tokens = finder.tokeniser.tokens
    known = [word for word in known[:VOCABULARY] if len(tokens(word)) == 1]
    fixed = fixed_words(known, language, ruleset)
    known = [word for word in known if word not in fixed]
    rows = [i for i, word in enumerate(known) if word in present]
    found = nearest(reader.vectors(known), rows, known) if rows else []
    return {known[i]: near for i, near in zip(rows, found, strict=True) if near}


def fixed_words(words: Sequence[str], language: Language, ruleset: RuleSet | None) -> set[str]:
    """Those that are numbers, negate what follows, or are named by rules: in a literal, or because a rule hits them by themselves.

    Examples
    --------
    >>> rules = RuleSet.from_yaml("{rulenet: 1, rules: [{id: a, label: x, phrase: oil price}, {id: b, label: x, regex: gam.}]}")
    >>> sorted(fixed_words(["oil", "not", "game", "seven", "good"], "en", rules))
    ['game', 'not', 'oil', 'seven']
    """
    negation, after = Negation(language), "it" if language == "en" else "好"

    def negates(cue: str) -> bool:
        return negation.covers(cue + after, len(cue))

    # Encoders part "isn't" into isn, ' and t.
    found = {word for word in words if _NUMBER.fullmatch(word) or negates(f"{word} ") or negates(f"{word}t ")}
    if ruleset is not None:
        conditions = [part for condition, unless in ruleset.conditions for part in (condition, *unless)]
        literals = [readable(atom.pattern) for atom in atoms_of(conditions) if atom.kind != "regex"]
        parts = {part for literal in literals for part in literal.split()}
        fires = np.flatnonzero(ruleset.match(list(words), language=language).getnnz(axis=1)).tolist()
        found |= parts.intersection(words)
        found |= {words[i] for i in fires if any(ruleset.spans(words[i], language=language).values())}
    return found


def nearest(vectors: Array, rows: Sequence[int], words: Sequence[str]) -> list[list[str]]:
    """For some rows the words whose vectors point the same way once the mean is taken off; no opposites by their prefix.

    Examples
    --------
    >>> words, vectors = ["happy", "glad", "unhappy", "oil"], np.array([[1, 0.0], [1, 0.1], [1, 0.1], [-3, -0.2]])
    >>> nearest(vectors, [0, 3], words)
    [['glad'], []]
    """
    V = vectors - vectors.mean(axis=0)
    V /= np.maximum(np.linalg.norm(V, axis=1, keepdims=True), 1e-9)
    found: list[list[str]] = []
    for at in range(0, len(rows), 1024):
        block = list(rows[at : at + 1024])
        cosine = V[block] @ V.T
        cosine[np.arange(len(block)), block] = -1.0
        n = min(4 * NEAREST, len(words))  # some are left out
        best = np.argpartition(-cosine, n - 1, axis=1)[:, :n]
        for i, row in enumerate(block):
            order = best[i][np.argsort(-cosine[i, best[i]], kind="stable")]
            near, word = [words[j] for j in order.tolist() if cosine[i, j] >= LEAST], words[row]
            alike = [other for other in near if script(other[0]) == script(word[0]) and not are_opposites(word, other)]
            found.append(alike[:NEAREST])
    return found


def are_opposites(one: str, other: str) -> bool:
    """Whether one word is the other, or another form of it, with a prefix that negates.

    Examples
    --------
    >>> are_opposites("unhappy", "happier"), are_opposites("满意", "不满意"), are_opposites("unit", "units")
    (True, True, False)
    """
    pairs = ((_OPPOSITE.match(one), other), (_OPPOSITE.match(other), one))
    return any(match is not None and word.startswith(match[1]) for match, word in pairs)

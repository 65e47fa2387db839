"""Texts → D, which word or phrase occurs in which text, for mining. Imports numpy, scipy and `rulenet.text`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy.sparse

from rulenet.base.types import Array
from rulenet.text.clean import clean
from rulenet.text.fold import fold, is_unspaced, words_with_offsets
from rulenet.text.language import Language
from rulenet.text.raw import fold_raw, readable
from rulenet.text.tokenise import Tokeniser

MAX_WORDS: dict[Language, int] = {"en": 3, "zh": 2}
MAX_TERMS = 20_000
SPELLINGS = 9  # occurrences of a term from which its spelling is chosen
FRAGMENT = 0.7  # if a word is part of the same phrase in this share of its texts, only the phrase is used
# Between two words of one phrase: spaces, or a hyphen, apostrophe, dot or ampersand without any.
_GLUE = re.compile(r"\s+|[-'\u2019.&]|\s+&\s+")
# Addresses and remains of links, which are not words.
_ADDRESS = re.compile(r"\S*(?:://|\bwww\.|\bhref=)\S*", re.IGNORECASE)
# Function words: a phrase that begins or ends with one reads like a fragment.
_FUNCTION_WORDS = """
a about above after again against all also am among an and another any are around as at back be because been before
being below between both but by can could did do does doing down during each either else even ever every few for from
further get gets getting give given go goes going gone got had has have having he her here hers herself him himself
his how however i if in into is it its itself just last least less like made make makes making many may me might more
most much must my myself near neither new no nor not now of off often on once one only onto or other our ours out over
own per put quite rather said same saw say saying says see seen several shall she should since so some still such take
takes taking than that the their theirs them themselves then there these they this those though through thus to today
too took toward towards two under until up upon us use used using very via was way we well went were what when where
whether which while who whom whose why will with within without would yet you your yours three four five six seven
eight nine ten first second third amp quot lt gt http https www com monday tuesday wednesday thursday friday saturday
sunday yesterday tomorrow tonight next day days week weeks month months year years 's don't didn't doesn't isn't
wasn't aren't weren't won't can't couldn't wouldn't hasn't haven't hadn't it's that's there's he's she's what's who's let's i'm i've
i'd i'll you're we're they're we've they've you've we'll they'll you'll he'll she'll it'll
的 了 在 是 我 有 和 就 不 人 都 一 一个 上 也 很 到 说 要 去 你 会 着 没有 看 好 自己 这 那 与 及 或 被 将
为 对 以 于 从 而 但 并 等 中 个 他 她 它 们 我们 你们 他们 什么 怎么 如何 为何 已 已经 还 又 再 更 最 称 让
给 把 向 其 该 此 可 能 可以 之 后 前 下 内 外 多 大 小 新 年 月 日 元 万 亿 点 第 次 名 位 家
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())


@dataclass(frozen=True)
class Terms:
    """Words and phrases of some texts."""

    names: list[str]  # each term in its most frequent spelling
    keys: list[str]  # each term as rules compare it: case folded, with single spaces between words
    D: scipy.sparse.csr_matrix  # presence, shape (n_texts, n_terms), float64 ones; the most frequent terms first

    def fragments(self) -> Array:
        """Whether each term occurs mostly inside one longer term, as Angeles in Los Angeles, shape (n_terms,)."""
        n_texts = dict(zip(self.keys, self.n_texts.tolist(), strict=True))
        found = {
            part for key, n in n_texts.items() for part in _parts(key) if n >= FRAGMENT * n_texts.get(part, np.inf)
        }
        return np.array([key in found for key in self.keys], dtype=bool)

    @property
    def n_texts(self) -> Array:
        """Number of texts in which each term occurs, shape (n_terms,)."""
        return np.asarray(self.D.sum(axis=0)).ravel()


def extract(texts: Sequence[str], tokeniser: Tokeniser, *, min_texts: int = 5) -> Terms:
    """Extract words and phrases that occur in at least `min_texts` of the texts, at most the 20,000 most frequent.

    Phrases do not cross punctuation, and do not begin or end with a function word or a single letter.

    Examples
    --------
    >>> terms = extract(["The Red Sox win.", "Red Sox, again"], Tokeniser("en"), min_texts=2)
    >>> terms.names, terms.D.toarray().tolist()
    (['Red', 'Red Sox', 'Sox'], [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    """
    number: dict[str, int] = {}
    spellings: list[list[str]] = []
    rows: list[list[int]] = []
    for text in texts:
        row = set()
        for key, spelling in terms_of(clean(text), tokeniser):
            j = number.setdefault(key, len(number))
            if j == len(spellings):
                spellings.append([])
            if j not in row and len(spellings[j]) < SPELLINGS:
                spellings[j].append(spelling)
            row.add(j)
        rows.append(sorted(row))
    D = presence(rows, len(number))
    n_texts = np.asarray(D.sum(axis=0)).ravel()
    order = np.argsort(-n_texts, kind="stable")
    chosen = order[n_texts[order] >= min_texts][:MAX_TERMS].tolist()
    keys = list(number)
    return Terms([_best_spelling(spellings[j]) for j in chosen], [keys[j] for j in chosen], D[:, chosen])


def presence(rows: Sequence[Sequence[int]], n_columns: int) -> scipy.sparse.csr_matrix:
    """Convert rows of column numbers to a sparse matrix of ones."""
    indices = np.array([j for row in rows for j in row], dtype=np.int64)
    indptr = np.cumsum([0, *map(len, rows)])
    return scipy.sparse.csr_matrix((np.ones(len(indices)), indices, indptr), shape=(len(rows), n_columns))


def terms_of(text: str, tokeniser: Tokeniser) -> Iterator[tuple[str, str]]:
    """Yield key and spelling of every word and phrase of a cleaned text, with repetitions."""
    text = _ADDRESS.sub(lambda match: " " * len(match.group()), text)
    for run in _runs(text, tokeniser):
        for i in range(len(run)):
            for j in range(i + 1, min(i + MAX_WORDS[tokeniser.language], len(run)) + 1):
                if _may_end(run[i][0]) and _may_end(run[j - 1][0]):
                    spelling = text[run[i][1] : run[j - 1][2]]
                    words = [word for word, _, _ in run[i:j]]
                    yield " ".join(words) if tokeniser.language == "en" else key_of(spelling), spelling


def key_of(literal: str) -> str:
    """Return a literal as rules compare it.

    Examples
    --------
    >>> key_of("Wal-Mart"), key_of("iPhone手机")
    ('wal mart', 'iphone手机')
    """
    return readable(fold_raw(literal)) if is_unspaced(literal) else fold(literal).strip()


def _runs(text: str, tokeniser: Tokeniser) -> Iterator[list[tuple[str, int, int]]]:
    """Yield stretches of words with only spaces or joining characters between them."""
    if tokeniser.language == "zh":
        words = [(token.text.casefold(), token.start, token.end) for token in tokeniser.tokens(text)]
    else:
        words = words_with_offsets(text)
    run: list[tuple[str, int, int]] = []
    for word in words:
        if run and not _is_glued(text, run[-1], word):
            yield run
            run = []
        if any(map(str.isalnum, word[0])) and "_" not in word[0]:
            run.append(word)
    if run:
        yield run


def _is_glued(text: str, last: tuple[str, int, int], word: tuple[str, int, int]) -> bool:
    between = text[last[2] : word[1]]
    # Chinese words have nothing between them; a rule could not find a Chinese and a Latin word as one phrase.
    if is_unspaced(last[0]) or is_unspaced(word[0]):
        return not between and is_unspaced(last[0]) and is_unspaced(word[0])
    return word[0] == "'s" or _GLUE.fullmatch(between) is not None


def _may_end(word: str) -> bool:
    return len(word) > 1 and word not in FUNCTION_WORDS and not word.isdigit()


def _parts(key: str) -> Iterator[str]:
    """Yield the shorter terms that a term contains."""
    units, joint = (list(key), "") if is_unspaced(key) else (key.split(), " ")
    places = combinations(range(len(units) + 1), 2)
    return (joint.join(units[i:j]) for i, j in places if j - i < len(units))


def _best_spelling(spellings: Sequence[str]) -> str:
    """Return the most frequent spelling; all capitals, as in headlines, only if there is no other."""
    counts = Counter(" ".join(spelling.split()) for spelling in spellings)
    quiet = {s: n for s, n in counts.items() if not s.isupper() or len(s) <= 4} or counts
    return max(sorted(quiet), key=quiet.__getitem__)

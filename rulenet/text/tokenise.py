"""Cleaned text → tokens with offsets, for English and Chinese. Imports `fold` and `words`; jieba when needed."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from rulenet.text.fold import HAN, is_unspaced
from rulenet.text.language import Language
from rulenet.text.words import APOSTROPHES, UNSPACED, token_spans, word_spans

# jieba always parts words at any other character, name dots and white space among them.
_HAN_RUN = re.compile(f"(?:{HAN.pattern})+")
_JOINABLE = re.compile(r"[\u4e00-\u9fd5A-Za-z0-9+#&._%-]+")
_LONGEST = 1_000  # in a run of joinable characters, jieba takes quadratic time


def stretches(text: str) -> Iterator[tuple[int, str]]:
    """Start and content of the pieces in which jieba reads a text: cut where it parts words in any case, else after `_LONGEST` characters.

    Examples
    --------
    >>> list(stretches("今天，下雨"))
    [(0, '今天，下雨')]
    """
    at = 0
    while at < len(text):
        end = at + _LONGEST
        if end < len(text):
            end = next((i for i in range(end, at, -1) if not _JOINABLE.match(text, i, i + 1)), end)
        yield at, text[at:end]
        at = end


def words_for_jieba(word: str) -> list[str]:
    """Return what jieba can learn of a cleaned word or name: its parts, in the cases of Latin letters that texts have.

    Examples
    --------
    >>> words_for_jieba("马克·吐温"), words_for_jieba("Vip卡"), words_for_jieba("iPhone")
    (['马克', '吐温'], ['VIP卡', 'Vip卡', 'vip卡'], [])
    """
    parts = [part for part in _JOINABLE.findall(word) if len(part) > 1 and HAN.search(part)]
    return [made for part in parts for made in sorted({part, part.lower(), part.upper(), part.title()})]


# What jieba parts in a word of another script: don't, naïve, हिन्दी.
_PARTED = re.compile(rf"[^\W\x00-\x7f{UNSPACED}]|[{APOSTROPHES}]")


class Token(NamedTuple):
    """A token with its position in the cleaned text."""

    text: str
    start: int
    end: int


class Tokeniser:
    """Splits cleaned text into words and punctuation marks.

    Parameters
    ----------
    language
        ``"en"``: words as rules read them, and punctuation (also suits other scripts with spaces).
        ``"zh"``: jieba.
    words
        Chinese words of the rule file. They are added to the dictionary of this instance only, never to jieba's global one.

    Examples
    --------
    >>> Tokeniser("en").tokens("Don't stop!")
    [Token(text="Don't", start=0, end=5), Token(text='stop', start=6, end=10), Token(text='!', start=10, end=11)]
    """

    def __init__(self, language: Language, words: Sequence[str] = ()) -> None:
        self.language = language
        self.words = tuple(words)

    def tokens(self, text: str) -> list[Token]:
        """Return the tokens of a cleaned text, without white space."""
        if self.language == "en":
            return [Token(text[start:end], start, end) for start, end in token_spans(text)]
        found = [
            Token(word, at + start, at + end)
            for at, part in stretches(text)
            for word, start, end in self.jieba.tokenize(part)
            if not word.isspace()
        ]
        return _joined(found, text) if _PARTED.search(text) else found

    @cached_property
    def jieba(self) -> Any:
        """A separate jieba tokenizer: no shared dictionary, no cache in a folder that other users can write to."""
        tokenizer = import_jieba().Tokenizer()
        with _cache_folder() as folder:
            tokenizer.tmp_dir = folder
            tokenizer.initialize()
        for word in self.words:
            if not tokenizer.FREQ.get(word):
                tokenizer.add_word(word, tag="nz")
            elif next(tokenizer.cut(word, HMM=False)) != word:  # known, but never read as one word; its tag stays
                tokenizer.add_word(word)
        return tokenizer

    def unknown_words(self, literal: str) -> list[str]:
        """Return the words in a cleaned literal whose Chinese the dictionary does not have as one word.

        Examples
        --------
        >>> Tokeniser("zh", ["小米手环"]).unknown_words("小米手环 小米手表 VIP会员")
        ['小米手表']
        """
        found = []
        for word in filter(HAN.search, _JOINABLE.findall(literal)):
            known = set(self.jieba.cut(word, HMM=False))
            if word not in known and not known.issuperset(_HAN_RUN.findall(word)):
                found.append(word)
        return found

    def __getstate__(self) -> dict[str, Any]:
        # The dictionary has a lock and 350,000 words, so it is rebuilt on demand instead of pickled.
        return {"language": self.language, "words": self.words}


def _joined(tokens: list[Token], text: str) -> list[Token]:
    """The tokens with one for each word that several of them make up."""
    end_of, ends = dict(word_spans(text)), {token.end for token in tokens}
    found, reach = list[Token](), 0
    for token in tokens:
        end = end_of.get(token.start, 0)
        if token.start >= reach:
            whole = end > token.end and end in ends and not is_unspaced(token.text)
            found.append(Token(text[token.start : end], token.start, end) if whole else token)
            reach = found[-1].end
    return found


@contextmanager
def _cache_folder() -> Iterator[str]:
    """Folder for jieba's parsed dictionary: in the user's cache, or temporary if that cannot be written."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rulenet"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.access(folder, os.W_OK | os.X_OK):
        yield str(folder)
    else:
        with TemporaryDirectory() as temporary:
            yield temporary


def import_jieba() -> Any:
    """Import jieba without its start-up messages."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes and pkg_resources in jieba's own sources
        import jieba
    logging.getLogger("jieba").setLevel(logging.WARNING)
    return jieba

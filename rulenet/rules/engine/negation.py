"""Whether a hit is inside a negation: "not a good film", 质量不好. Imports `rulenet.text` only.

A cue reaches forward over at most three words (English) or six characters (Chinese) up to the hit, and never across a
punctuation mark or a contrast word. The scope rule is NegEx's (Chapman et al. 2001) with a shorter window, which suits
opinions better than clinical notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rulenet.text.clean import clean
from rulenet.text.fold import fold, is_unspaced, words_with_offsets
from rulenet.text.language import Language
from rulenet.text.words import APOSTROPHES

_WINDOW = 60
_REACH = 3
_EN_CUES = """
not no never none nobody nothing nowhere neither nor without hardly barely scarcely cannot isnt wasnt arent werent aint dont doesnt
didnt cant couldnt wont wouldnt shouldnt mustnt havent hasnt hadnt
"""  # and every word with n't
_CONTRAST = frozenset(("but", "yet", "although", "though"))
_JOINT = re.compile(rf"[\s{APOSTROPHES}-]*")  # what may lie between two words of a scope
# Words that contain a cue but do not negate what follows: 不仅, 不错, 不得不 (must), 不要太 (so very), 没想到 (who'd have thought),
# 别提多 (you can't imagine how), 无理由, 特别, 别人 … Two cues cancel out: 没什么不满意, 不能不赞.
_ZH_IDIOMS = (
    "不得不|不要太|没想到|别提|不(?:仅|但|过|错|只|愧)|未来|无(?:论|理由|线)|非(?:常|洲)|[特分区级性类个]别|别[人的墅]"
)
_ZH_CUES = "不|没有?|無|无|未|别|非"
_ZH_WINDOW = 6
_ZH_REACH = re.compile("[^，。！？；、,.!?;\\s]*\\Z")


def _always(start: int, end: int) -> bool:
    return True


class Negation:
    """Says whether the characters before a place negate what begins there.

    `cues` negate in addition to the built-in ones; those in Chinese characters are for Chinese, the others for English.

    Examples
    --------
    >>> english = Negation("en", ["lacks"])
    >>> english.covers("This is not a good film", 14), english.covers("It lacks a good end", 11), english.covers("Not only good", 9)
    (True, True, False)
    >>> Negation("zh").covers("质量不太好", 4), Negation("zh").covers("没什么不满意", 4)
    (True, False)
    """

    def __init__(self, language: Language, cues: Sequence[str] = ()) -> None:
        self.language = language
        unspaced = sorted((re.escape(clean(cue)) for cue in cues if is_unspaced(cue)), key=len, reverse=True)
        # An author's own cue comes first: it may contain what is otherwise an idiom.
        own = f"(?P<own>{'|'.join(unspaced)})|" if unspaced else ""
        self._zh = re.compile(f"{own}{_ZH_IDIOMS}|(?P<cue>{_ZH_CUES})", re.IGNORECASE)
        self._en: dict[str, list[list[str]]] = {}  # the words of each cue, by the last of them
        for cue in (*_EN_CUES.split(), *(cue for cue in cues if not is_unspaced(cue))):
            if words := fold(clean(cue)).split():
                self._en.setdefault(words[-1], []).append(words)
        # Without one of these, an ASCII text has no cue: a quick look that mostly settles it.
        endings = (re.escape(word).replace("'", "['`]") for word in ("n't", *self._en))
        self._perhaps = re.compile("|".join(endings), re.IGNORECASE)

    def covers(self, text: str, start: int, begin: int = 0, negates: Callable[[int, int], bool] = _always) -> bool:
        """Whether what begins at `start` of a cleaned text is negated, by cues from `begin` on; `negates` says which, by start and end."""
        if self.language == "en":
            return self._covers_english(text, max(begin, start - _WINDOW), start, negates)
        reach = _ZH_REACH.search(text, max(begin, start - _ZH_WINDOW), start)
        first = reach.start() if reach else start
        # Idioms are read from before the scope: the 别 of 特别 is no cue though the scope begins with it.
        cues = self._zh.finditer(text, max(begin, first - 2), start)
        return (
            sum(bool(match.lastgroup) and match.start() >= first and negates(*match.span()) for match in cues) % 2 == 1
        )

    def _covers_english(self, text: str, begin: int, start: int, negates: Callable[[int, int], bool]) -> bool:
        """Walk back from the hit, word by word, to a cue."""
        first = max(begin - 1, 0)  # a word that begins before the window is cut by it
        window = text[first:start]
        if window.isascii() and not self._perhaps.search(window):
            return False
        words = [found for found in words_with_offsets(window) if first + found[1] >= begin]
        after = start - first
        for i in range(len(words) - 1, -1, -1):
            word, at, end = words[i]
            rest = text[first + end : start]
            if len(rest.split()) > _REACH or not _JOINT.fullmatch(text, first + end, first + after):
                return False
            n = self._cue_length([word for word, _, _ in words[: i + 1]]) if not rest or rest[0].isspace() else 0
            if n and negates(first + words[i + 1 - n][1], first + end):
                following = [word for word, _, _ in words[i + 1 : i + 3]]
                if following[:1] not in (["only"], ["just"]) and following != [
                    "to",
                    "mention",
                ]:  # "not only good" praises
                    return True
            if word in _CONTRAST:
                return False
            after = at
        return False

    def _cue_length(self, words: list[str]) -> int:
        """How many words the cue has that these end in; 0 where they end in none."""
        if "n't" in words[-1]:
            return 1
        return max((len(cue) for cue in self._en.get(words[-1], ()) if words[-len(cue) :] == cue), default=0)

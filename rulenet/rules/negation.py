"""Whether a hit lies inside a negation: "not a good film", 质量不好. Imports only the standard library.

A cue reaches forward over at most three words (English) or six characters (Chinese) up to the hit, and never across a
punctuation mark or a contrast word. The scope rule is NegEx's (Chapman et al. 2001) with a shorter window, which suits
opinions better than clinical notes.
"""

from __future__ import annotations

import re

from rulenet.text.language import Language

_WINDOW = 60
_EN = re.compile(
    r"""(?: \b(?: not | no | never | none | nobody | nothing | nowhere | neither | nor | without | hardly | barely | scarcely | cannot
          | isnt | wasnt | arent | werent | dont | doesnt | didnt | cant | couldnt | wont | wouldnt | shouldnt | havent | hasnt | hadnt ) \b
          | \w+n['\u2019]t\b )
        (?! \s+ (?: only | just | to\s+mention ) \b )      # "not only good" praises
        (?: \s+ (?! but\b | yet\b | although\b | though\b ) [\w'\u2019-]+ ){0,3} \s* $""",
    re.VERBOSE | re.IGNORECASE,
)
# Words that hold a cue without denying what follows: 不仅, 不错, 不得不 (must), 不要太 (so very), 没想到 (who'd have thought),
# 别提多 (you can't imagine how), 无理由, 特别, 别人 … Two cues cancel out: 没什么不满意, 不能不赞.
_ZH = re.compile(
    "不得不|不要太|没想到|别提|不(?:仅|但|过|错|只|愧)|未来|无(?:论|理由|线)|非(?:常|洲)|[特分区级性类个]别|别[人的墅]"
    "|(?P<cue>不|没有?|無|无|未|别|非)"
)
_ZH_WINDOW = 6
_ZH_REACH = re.compile("[^，。！？；、,.!?;\\s]*$")


def negated(text: str, start: int, language: Language) -> bool:
    """Whether the characters before `start` of a cleaned text negate what begins there.

    Examples
    --------
    >>> negated("This is not a good film", 14, "en"), negated("Not only good", 9, "en")
    (True, False)
    >>> negated("质量不太好", 4, "zh"), negated("没什么不满意", 4, "zh")
    (True, False)
    """
    if language == "en":
        # Not a slice: bounds let \b see the word that they cut, so that knot is never read as not.
        return _EN.search(text, max(0, start - _WINDOW), start) is not None
    reach = _ZH_REACH.search(text, max(0, start - _ZH_WINDOW), start)
    first = reach.start() if reach else start
    # Idioms are read from before the scope: the 别 of 特别 is no cue though the scope begins with it.
    cues = _ZH.finditer(text, max(0, first - 2), start)
    return sum(match["cue"] is not None and match.start() >= first for match in cues) % 2 == 1

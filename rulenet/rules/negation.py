"""Whether a hit lies inside a negation: "not a good film", 质量不好. Imports only the standard library.

A cue reaches forward over at most three words (English) or four characters (Chinese) up to the hit, and never across a
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
# 不仅, 不但, 不过, 不错 … hold 不 without denying what follows; 别 only as "don't", not in 别人, 特别.
_ZH = re.compile(r"(?:不(?![仅但过错只愧])|没有?|無|无(?!论)|未(?!来)|(?<![特分区级性类个])别(?![人的墅])|非(?![常洲])|毫无|并非|绝非|从未)[^，。！？；、,.!?;\s]{0,4}$")


def negated(text: str, start: int, language: Language) -> bool:
    """Whether the characters before `start` of a cleaned text negate what begins there.

    Examples
    --------
    >>> negated("This is not a good film", 14, "en"), negated("Not only good", 9, "en"), negated("质量不太好", 4, "zh")
    (True, False, True)
    """
    before = text[max(0, start - _WINDOW) : start]
    return (_ZH if language == "zh" else _EN).search(before) is not None

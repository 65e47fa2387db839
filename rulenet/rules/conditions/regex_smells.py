"""Smells of regular expressions. Imports `rulenet.text` and patterns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rulenet.errors import Edit
from rulenet.rules.conditions.patterns import compile_regex, fault_of
from rulenet.rules.conditions.word_smells import control_character, mixed_alphabets
from rulenet.rules.file import codes
from rulenet.rules.file.codes import Flaw
from rulenet.text.clean import clean
from rulenet.text.fold import is_unspaced
from rulenet.text.han import simplified
from rulenet.text.words import UNSPACED

# Ordinary sentences on all kinds of topics, short and long: a pattern that hits nearly all of them is useless.
# Between them they use every letter in several sentences, figures, quotes and questions.
_ENGLISH = (
    "The train leaves at half past six. / Nobody knew why the lights went out / "
    "She bought three apples and a loaf of bread. / Heavy rain is expected over the hills tomorrow / "
    "Can you send me the report by Friday? / My phone will not charge any more. / "
    "The committee voted 7-2 in favour of the plan. / Thanks, that was quick / "
    "Prices rose by 3% last month, the bank said. / He plays the violin in a small orchestra. / "
    "A jury found both men guilty / We waited two hours and then went home. / "
    "Scientists have mapped the floor of the ocean. / I would not recommend this hotel to anyone! / "
    "Their new album sounds like the old one / The museum opens again in spring, after years of repairs. / "
    "Zoe quickly fixed the broken window / Voters will go to the polls on Sunday. / The soup needs more salt. / "
    "Students of all ages may apply / Oil fell below $50 a barrel. / His second goal came just before the whistle / "
    "Please cancel my order and refund the money. / It was the best film of the year."
)
_CHINESE = (
    "火车六点半开。 / 没人知道为什么停电了 / 她买了三个苹果和一袋面包。 / 明天山区将有大雨 / 请周五之前把报告发给我好吗？ / "
    "我的手机充不进电。 / 委员会以7票对2票通过了方案。 / 谢谢，很快 / 银行表示，上月物价上涨3%。 / "
    "他在一个小乐队里拉小提琴。 / 法院判两名男子有罪 / 等了两个小时才回家 / 科学家绘出海底地图 / 这家酒店绝对不推荐！ / "
    "新专辑和老专辑差不多 / 博物馆修缮多年，春天重新开放。 / 小王很快修好了窗户 / 选民周日投票。 / 汤有点淡。 / "
    "各年龄段学生均可报名 / 油价跌破每桶50美元 / 他在终场前打进第二球 / 麻烦取消订单并退款。 / 这是今年最好看的电影。"
)
PROBES = {"en": _ENGLISH.split(" / "), "zh": _CHINESE.split(" / ")}
NEARLY_ALL = 0.9
_MANY_REPEATS = 200

_GROUP_NAME = re.compile(r"\(\?P?<\w+>")  # to `clean`, `<name>` is a tag
# What cleaning takes out of texts, as a pattern may write it.
_NEVER_LEFT = re.compile(
    r"""(?P<entity>&(?:\#|[(\[\\][^;\s]{0,30}|[a-z|()]{0,30}[(\[\\|])[^;&\s]{0,40};)
    |(?P<tag><(?:\\?/\??)?(?:[A-Za-z]|\\w|\[\^?[^\]]*\]|\()[^<>]{0,60}/?\??>)
    |(?<!\\)(?:\\\\)*\\(?:x\{(?P<hex>[0-9A-Fa-f]{1,6})\}|x(?P<byte>[0-9A-Fa-f]{2})|(?P<letter>[rfva]))""",
    re.VERBOSE,
)
_LEADING = re.compile(r"\^?\.\*\??")
_TRAILING = re.compile(r"(?<!\\)\.\*\??\$?$")
_REPEATS = re.compile(r"(?<!\\)\{(\d+)(?:,(\d*))?\}")
_WORDY_CLASS = re.compile(r"\[\^?((?:[^\W\d_]{2,}\|)+[^\W\d_]{2,})\]")
_FULL_WIDTH = re.compile(r"(\\?)([\uff01-\uff5e\u3000])")
_INSIDE = re.compile(r"\(?[A-Za-z]{2,}(?:\|[A-Za-z]{2,})*\)?")
_LETTER = r"[^\W\d_]"
# One literal, or several between bars, as a whole or in brackets; with \b on both sides or on neither.
_LITERALS = re.compile(
    rf"(?P<b>\\b)?(?:\((?:\?:)?)?(?P<list>{_LETTER}[\w '’-]*(?:\|{_LETTER}[\w '’-]*)*)\)?(?P<e>\\b)?"
)


def regex_smells(pattern: str, language: str, *, exact: bool = False, fold_traditional: bool = False) -> Iterator[Flaw]:
    """Smells of a pattern that compiles."""
    shown = f"regex '{pattern}'"
    if "\x08" in pattern:
        message = f"regex {pattern!r} contains a backspace, as YAML reads \\b in double quotes; use single quotes"
        yield Flaw(codes.REGEX_BACKSPACE, message)
        return
    if pattern.endswith("\n") and pattern.strip("\n"):
        message = f"regex {pattern!r} ends in a line break, as YAML keeps that of a block, and texts need it too; write |- or quotes"
        yield Flaw(codes.YAML_ESCAPE, message, Edit("quote", pattern.strip("\n")))
    if hits_nearly_all(f"(?-i:{pattern})" if exact else pattern, language):
        if compile_regex(pattern).search("") is not None:
            message = "matches the empty text, so it fires everywhere; make a part obligatory"
        else:
            message = "hits nearly every text, so it does not distinguish texts; look for something rarer"
        yield Flaw(codes.REGEX_MATCHES_ALL, f"{shown} {message}")
    bare = _GROUP_NAME.sub("(", pattern)
    if control := control_character(pattern.replace("\t", " ")):
        yield Flaw(codes.YAML_ESCAPE, f"regex {control}")
    elif clean(bare) != bare:
        what = "contains characters that cleaning replaces in texts (full-width forms, entities)"
        advice = f"texts are read as {clean(bare)!r}; write ordinary characters, with a backslash before punctuation"
        yield Flaw(codes.REGEX_CLEANED, f"{shown} {what}; {advice}", half_width(pattern))
    for gone in _NEVER_LEFT.finditer(bare) if clean(bare) == bare else ():
        if what := "" if _is_in_class(bare, gone.start()) else _why_gone(gone):
            yield Flaw(codes.REGEX_CLEANED, f"{shown}: {gone[0]} is never found, as texts are cleaned first: {what}")
    if fold_traditional and (plain := _simplified(pattern)) != pattern:
        message = f"{shown} contains traditional characters, but texts are read in simplified ones; write {plain!r}"
        yield Flaw(codes.REGEX_CLEANED, message)
    if mixed := mixed_alphabets(pattern, "regex"):
        yield mixed
    if re.search(r"(?:\\b[^\x00-\x7f]|[^\x00-\x7f]\\b)", pattern):
        message = f"{shown}: \\b is ASCII in RE2 and never matches next to a non-ASCII letter; leave it out"
        yield Flaw(codes.REGEX_BOUNDARY, message)
    yield from _form_smells(pattern, shown, "A-Za-z" if exact else "a-z")


def _is_in_class(pattern: str, at: int) -> bool:
    """Whether a place is within square brackets, where other characters stand beside it."""
    before = re.sub(r"\\.", "", pattern[:at])
    return before.rfind("[") > before.rfind("]")


def _why_gone(found: re.Match[str]) -> str:
    """Why no text contains what a part of a pattern stands for; nothing, if some may."""
    if found["entity"]:
        return "entities are decoded; write the character itself"
    if found["tag"]:
        return "tags are removed; leave it out"
    code = found["hex"] or found["byte"]
    character = (
        chr(min(int(code, 16), 0x10FFFF)) if code else {"r": "\r", "f": "\f", "v": "\v", "a": "\a"}[found["letter"]]
    )
    cleaned = clean(character)
    if cleaned == character or (character.isascii() and character.isalnum()):
        return ""
    return f"it is read as {cleaned!r}" if cleaned.strip() else "it is read as a space" if cleaned else "it is dropped"


def _form_smells(pattern: str, shown: str, letters: str) -> Iterator[Flaw]:
    """What is written in a way that is probably not meant, or slow."""
    if "[A-z]" in pattern or re.search(r"\[\^?[^\]]*A-z", pattern):
        yield Flaw(codes.REGEX_CLASS, f"{shown}: A-z also includes [ \\ ] ^ _ `; write {letters}")
    if wordy := _WORDY_CLASS.search(pattern):
        message = f"{shown}: {wordy[0]} means any one of these letters; for one of these words write ({wordy[1]})"
        yield Flaw(codes.REGEX_CLASS, message)
    for found, verb, edge in ((_LEADING.match, "begins", "start"), (_TRAILING.search, "ends", "end")):
        if found(pattern) and len(pattern) > 3:
            message = f"{shown} {verb} with .*, which only stretches the hit to the {edge} of the text; leave it out"
            yield Flaw(codes.REGEX_IDLE_END, message)
    if _INSIDE.fullmatch(pattern):
        message = f"{shown} also hits inside longer words; if not meant, write \\b({pattern.strip('()')})\\b or word:"
        yield Flaw(codes.REGEX_INSIDE, message)
    repeats = [int(match[2] or match[1]) for match in _REPEATS.finditer(pattern)]
    if max(repeats, default=0) >= _MANY_REPEATS:
        message = f"{shown} repeats a part up to {max(repeats)} times, which is slow; write + or *, or use near"
        yield Flaw(codes.REGEX_REPEATS, message)


def half_width(pattern: str) -> Edit | None:
    """The pattern with ordinary characters in place of full-width ones, if it has any and then compiles."""
    new = _FULL_WIDTH.sub(_half_width, pattern)
    return Edit("quote", new) if new != pattern and fault_of(new, compile_regex) is None else None


def _half_width(match: re.Match[str]) -> str:
    character = " " if match[2] == "\u3000" else chr(ord(match[2]) - 0xFEE0)
    is_special = character in r".^$*+?()[]{}|\-"
    return ("\\" if is_special or (match[1] and not character.isalnum()) else "") + character


def only_literals(patterns: Sequence[str]) -> str | None:
    """Advice, if a list of patterns says nothing that a list of words could not say."""
    lists = [plain_literals(pattern) for pattern in patterns]
    if not all(lists):
        return None
    literals = [literal for found in lists for literal in found]
    kind = "phrase" if any(" " in literal for literal in literals) else "word"
    value = literals[0] if len(literals) == 1 else f"[{', '.join(literals[:3])}{', …' if len(literals) > 3 else ''}]"
    return f"regex '{patterns[0]}' is a list of words; {kind}: {value} is plainer and faster"


def _simplified(pattern: str) -> str:
    try:
        return simplified(pattern)
    except ImportError:  # which has a warning of its own
        return pattern


def hits_nearly_all(pattern: str, language: str) -> bool:
    """Whether it hits nine of ten ordinary sentences; with language ``"any"`` in each language."""
    regex = compile_regex(pattern)
    for probes in PROBES.values() if language == "any" else [PROBES[language]]:
        allowed = len(probes) - NEARLY_ALL * len(probes)
        misses = 0
        for text in probes:
            misses += regex.search(clean(text)) is None
            if misses > allowed:
                return False
    return True


def plain_literals(pattern: str) -> list[str]:
    r"""The literals that a pattern lists, if it does nothing else that `word` or `phrase` could not do.

    Examples
    --------
    >>> plain_literals(r"\b(vice president|chairman)\b"), plain_literals("送货|派送"), plain_literals("ing")
    (['vice president', 'chairman'], ['送货', '派送'], [])
    """
    match = _LITERALS.fullmatch(pattern)
    if match is None or pattern.count("(") != pattern.count(")"):
        return []
    literals = match["list"].split("|")
    if match["b"] and match["e"]:
        in_brackets = "(" in pattern or len(literals) == 1
        return literals if in_brackets and all(literal.isascii() for literal in literals) else []
    if match["b"] or match["e"]:
        return []
    return literals if all(map(is_unspaced, literals)) and not re.search(f"[^{UNSPACED}|()?:]", pattern) else []

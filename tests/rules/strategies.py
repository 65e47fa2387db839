"""Rule files with every kind of condition, and texts in which their words really stand.

Everything is a plain function of a `random.Random`. Tests draw it from hypothesis (`RANDOMS`), so that what fails is made smaller.
"""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from hypothesis import strategies as st

Data = dict[str, Any]
RANDOMS = st.randoms(use_true_random=False)

WORDS = [
    *["win", "a", "not", "oil", "OIL", "Refund", "beat", "coach", "naïve", "cafe\u0301", "STRASSE", "İz", "don't", "7"],
    *[
        "C++",
        "x_y",
        "ＶＩＰ",
        "ﬁn",
        "中国",
        "中",
        "国",
        "好",
        "不好",
        "買Win",
        "软件",
        "軟件",
        "地球",
        "球",
        "3连胜",
        "テスト",
        "ไทย",
    ],
    *["【快讯】", "真的吗？", "A股", "5折", "VIP会员", "会员VIP卡", "Edu Trust认证", "马克·吐温", "L'Oréal店", "3.5折"],
]
PHRASES = ["grand slam", "oil-win", "not a win", "a a", "beat the coach", "naïve café", "win 😀 win", "oil price 7"]
PHRASES += ["中国 win", "中国软件", "中 国", "球 好", "VIP 会员", "买 A股 5折", "3 天"]
# Each with a text that it hits. They must mean the same to RE2 and to Python's `re` with re.ASCII, which folds no é.
REGEXES = {
    r"\bwin\b": "win",
    "o[il]+": "oill",
    r"\d+": "42",
    "中.?国": "中 国",
    r"\Awin": "win",
    r"oil\z": "oil",
    "[éÉ]|[ïÏ]": "É",
    r"\W{2}": "!!",
    "😀": "😀",
    "(win|oil) ?grand": "OIL grand",
    "a.{0,3}a": "a ba",
    r"[^a ]\s": "b\n",
    "球+?": "球球",
    "(?i)Refund": "refund",
}
TAG_PATTERNS = {
    "NOUN": "coach",
    "DET? ADJ* NOUN": "the good old film",
    "VERB:lemma=beat|win DET?": "beats the",
    "*:word=Win NOUN?": "win films",
    "ADJ+": "good old 好",
    "PROPN PROPN": "New York",
    "PRON:i|we VERB": "we beat",
    "* NOUN:lemma=coach": "the coaches",
    "ADV? VERB+ *": "never beat 中国",
}
FIELDS = ["title", "body"]
LEXICONS: Data = {
    "short": ["win", "中国", "grand slam"],
    "long": [{"lexicon": "short"}, "oil price", "naïve", {"term": "beat", "weight": 2}],
    "opinions": [
        *[{"term": "good", "weight": 1.5}, {"term": "not good", "weight": -2}, {"term": "好", "weight": 0.5}, "win"],
        *[{"term": "WIN", "weight": 3}, {"term": "oil", "weight": 0.1}, {"term": "coach", "weight": 0.2}],
    ],
}
FILLER = [
    *[
        "the",
        "good",
        "film",
        "beats",
        "winning",
        "refunds",
        "refunded",
        "oils",
        "we",
        "again",
        "and so on",
        "上映",
        "件",
        "价格",
    ],
    *["很", "连", "😀", "İ", "é", "球", "国", "a", "win", "oil"],
]
DENIALS = [
    *["not ", "never a ", "isn't ", "no, ", "lacks ", "hardly any ", "not only ", "not but ", "far from ", "n't "],
    *["不", "没有", "毫無", "不仅", "没想到", "特别", "不得不", "不是不", "缺点好"],
]
LONG = [
    " and so on and so forth and so on and so forth and so on and so forth and so on and so forth ",
    "这部电影的价格很高而且上映的时间也很长我们都说这是一部很长的电影",
]
GLUE = [*[" "] * 12, "", "", ", ", ". ", "! ", "\n", "-", "。", "，", "？", "'", "_", " (", ") ", "<b>", "</b>"]
GLUE += ["\x00", "\x1e", "\ud800", "\u200b", "\u0301", "&nbsp;", " Inc. ", "\u2028"]
# Each of these is the same literal to a reader, or nearly.
DISGUISES: list[Callable[[str], str]] = [
    *[str] * 12,
    str.upper,
    str.lower,
    str.title,
    lambda s: s.replace(" ", "-"),
    lambda s: s.replace(" ", ", the "),
    lambda s: s.replace(" ", "\n"),
    lambda s: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in s),
    lambda s: unicodedata.normalize("NFD", s),
    lambda s: "".join(f"&#{ord(c)};" for c in s),
    lambda s: html.escape(f"<i>{s}</i>"),
    lambda s: s[:1] + "\u200b" + s[1:],
    lambda s: s[:1] + "很" + s[1:],
    lambda s: " ".join(s),
    lambda s: s[:2] + " \u3000" + s[2:],
    lambda s: s.replace("·", "・").replace("'", "’"),
    lambda s: "LA9."[len(s) % 4] + s,
    lambda s: "9." + s,
    lambda s: s + "s",
    lambda s: s[:-1],
    lambda s: s + "\u0308",
    lambda s: s * 2,
]

# ---------------------------------------------------------------------- rule files


def some(random_: Random, entries: list[Any], most: int = 3) -> list[Any]:
    """One to a few of them."""
    return [random_.choice(entries) for _ in range(random_.randint(1, most))]


def literals(random_: Random) -> Data:
    """A list of literals with options."""
    kind = random_.choice(["word", "word", "phrase", "phrase", "lexicon", "starts", "ends"])
    found: Data = {kind: some(random_, {"word": WORDS, "lexicon": list(LEXICONS)}.get(kind, WORDS + PHRASES))}
    if random_.random() < 0.4:
        found |= random_.choice([{"case": "exact"}, {"forms": "lemma"}, {"segmented": True}])
    if kind == "phrase" and random_.random() < 0.4:
        found["gap"] = random_.randint(0, 4)
    return found


def leaf(random_: Random, tagged: bool, must_hit: bool) -> Data:
    """A condition without parts."""
    kind = random_.choice(["literals"] * 5 + ["regex"] + ["pos"] * tagged + ["lang", "length"] * (not must_hit))
    if kind == "literals":
        return literals(random_)
    if kind == "regex":
        return {"regex": some(random_, list(REGEXES), 2)} | random_.choice([{}, {}, {"case": "exact"}])
    if kind == "pos":
        return {"pos": some(random_, list(TAG_PATTERNS), 2)}
    if kind == "lang":
        return {"lang": random_.choice(["en", "zh"])}
    low = random_.randint(0, 4)
    bounds = {"at_least": low, "at_most": low + random_.randint(0, 30), "unit": random_.choice(["words", "characters"])}
    return {"length": bounds}


def condition(random_: Random, *, tagged: bool, depth: int = 2, must_hit: bool = False) -> Data:
    """A condition of any kind; those under `near` and `count` must be able to hit."""
    if depth == 0 or random_.random() < 0.4:
        found = leaf(random_, tagged, must_hit)
    else:
        kind = random_.choice(["any", "all", "near", "near", "count"] + ["none"] * (not must_hit))

        def part(must: bool = False) -> Data:
            return condition(random_, tagged=tagged, depth=depth - 1, must_hit=must)

        if kind == "near":
            terms = [
                random_.choice([*WORDS, *PHRASES]) if random_.random() < 0.5 else part(True)
                for _ in range(random_.randint(2, 3))
            ]
            measure = random_.choice([{}, {"same": "sentence"}, {"within": random_.randint(0, 6)}])
            found = {"near": {"terms": terms, "ordered": random_.random() < 0.3} | measure}
        elif kind == "count":
            bounds = random_.choice(
                [
                    {"at_least": 1},
                    {"at_least": 2},
                    {"at_least": 0.3},
                    {"at_most": 1},
                    {"at_most": 0.3},
                    {"at_least": 1.5, "at_most": 4},
                ]
            )
            inner = part(True)
            found = inner if "count" in inner else {"count": inner | bounds}
        else:
            found = {kind: [part(must_hit and (i == 0 or kind == "any")) for i in range(random_.randint(1, 3))]}
    if random_.random() < 0.15 and "field" not in found:
        found["field"] = random_.choice([*FIELDS, *FIELDS, "nowhere"])
    return found


def rule(random_: Random, *, tagged: bool) -> Data:
    """A rule without its id."""
    found = condition(random_, tagged=tagged)
    verdict = random_.choice(
        [
            *[{"label": "x"}] * 4,
            {"label": "x", "negation": {"flip": "y"}},
            {"labels": {"x": 1, "y": -0.5}},
            {"label": "y", "sign": "against", "weight": -2},
        ]
    )
    more: Data = {}
    if random_.random() < 0.3:
        more["negation"] = random_.choice(["skip", "require"])
    if random_.random() < 0.2:
        more["where"] = random_.choice(["start", "end", "first_sentence"])
    if random_.random() < 0.2:
        more["unless"] = [condition(random_, tagged=tagged, depth=1) for _ in range(random_.randint(1, 2))]
    if random_.random() < 0.05:
        more |= random_.choice(
            [{"enabled": False}, {"since": "2026-06-15"}, {"until": "2026-06-14"}, {"until": "2026-06-15"}]
        )
    return found | more | verdict


def file(random_: Random, *, tagged: bool) -> Data:
    """A rule file of a few rules, as data."""
    head: Data = {"rulenet": 1, "lexicons": LEXICONS}
    if random_.random() < 0.3:
        head["fold_traditional"] = True
    if random_.random() < 0.3:
        head["negation_cues"] = ["lacks", "毫無", "缺点"]
    rules = [rule(random_, tagged=tagged) for _ in range(random_.randint(1, 3))]
    return head | {"rules": [{"id": f"r{i}"} | found for i, found in enumerate(rules)]}


def yaml_of(data: Data) -> str:
    """A rule file as text; JSON is YAML."""
    return json.dumps(data, ensure_ascii=False, indent=1)


# ---------------------------------------------------------------------- texts


def witness(random_: Random, found: Any) -> Iterator[str]:
    """Pieces of text that make a condition hold, more often than not."""
    if isinstance(found, str):
        yield random_.choice(DISGUISES)(found)
        return
    for kind in ("any", "all", "near", "count"):
        if kind in found:
            parts = (
                found["near"]["terms"]
                if kind == "near"
                else [found["count"]] * random_.randint(0, 3)
                if kind == "count"
                else found[kind]
            )
            for part in [random_.choice(parts)] if kind == "any" else parts:
                yield from witness(random_, part)
                if random_.random() < 0.3:
                    yield random_.choice(FILLER)
    for kind in ("word", "phrase", "starts", "ends"):
        if kind in found:
            yield random_.choice(DISGUISES)(random_.choice(found[kind]))
    if "lexicon" in found:
        entry = random_.choice(LEXICONS[random_.choice(found["lexicon"])])
        yield random_.choice(DISGUISES)(entry if isinstance(entry, str) else entry.get("term", "oil price"))
    for kind, texts in (("regex", REGEXES), ("pos", TAG_PATTERNS)):
        if kind in found:
            yield texts[random_.choice(found[kind])]


def text(random_: Random, data: Data) -> str:
    """A text that one of the rules should hit, among other words."""
    pieces = list(witness(random_, random_.choice(data["rules"])))
    for entries, share in ((DENIALS, 0.3), (FILLER, 0.4), (WORDS, 0.2), (LONG, 0.1)):
        if random_.random() < share:
            pieces.insert(random_.randint(0, len(pieces)), random_.choice(entries))
    return "".join(piece + random_.choice(GLUE) for piece in pieces)


def text_or_record(random_: Random, data: Data) -> str | dict[str, str]:
    """A text, or a record where rules read fields."""
    if "field" not in json.dumps(data["rules"]) or random_.random() < 0.2:
        return text(random_, data)
    return {name: text(random_, data) for name in random_.choice([FIELDS, FIELDS[::-1], ["body"]])}


# ---------------------------------------------------------------------- few different words, so that hits lie upon and beside each other

TERMS: list[Any] = [
    *["a", "b", "a b", "b a", "中", "中国", "国", "c"],
    *[{"word": ["a", "b"]}, {"phrase": ["a c", "中 国"], "gap": 2}, {"near": {"terms": ["a", "b"], "within": 1}}],
    *[{"regex": "b ?"}, {"count": {"word": ["a", "c"], "at_least": 2}}, {"lexicon": "grades"}],
]
TOKENS = ["a", "b", "c", "中", "国", "中国", "not", "不"]


def crowded_rule(random_: Random) -> Data:
    """A rule of `near`, `count`, a phrase with gaps, or of what looks at borders and denials."""
    kind = random_.choice(["near", "near", "count", "phrase", "none", "field", "word"])
    terms = [random_.choice(TERMS) for _ in range(random_.randint(2, 4))]
    measure = random_.choice([{}, {"within": random_.randint(0, 3)}, {"same": "sentence"}])
    near = {"near": {"terms": terms, "ordered": random_.random() < 0.4} | measure}
    if kind == "near":
        found: Data = near
    elif kind == "count":
        part = random_.choice([near, {"lexicon": "grades"}, {"any": [{"lexicon": "grades"}, {"word": ["a", "b"]}]}])
        found = {"count": part | random_.choice([{"at_least": 0.3}, {"at_least": 2}, {"at_least": 0, "at_most": 1}])}
    elif kind == "phrase":
        words = [random_.choice(TOKENS[random_.choice([0, 3]) :]) for _ in range(random_.randint(2, 3))]
        found = {"phrase": [" ".join(words)], "gap": random_.randint(0, 3)}
    elif kind == "none":
        found = {"all": [{"word": ["a", "中"]}, {"none": [{"word": ["b", "国"]}]}]}
    elif kind == "field":
        inner = [{"regex": r"\Aa|a\z"}, {"word": ["a", "中"]}, {"starts": "a"}, {"ends": "中"}, near]
        found = random_.choice(inner) | {"field": random_.choice(FIELDS)}
    else:
        found = {"word": [random_.choice(TOKENS)]}
    more: list[Data] = [{}, {}, {"negation": "skip"}, {"negation": "require"}, {"where": "start"}, {"where": "end"}]
    return found | random_.choice([*more, {"where": "first_sentence"}]) | {"label": "x"}


def crowded_file(random_: Random) -> Data:
    """A rule file of such rules."""
    grades = [
        {"term": "a", "weight": 0.1},
        {"term": "b", "weight": 0.2},
        {"term": "a b", "weight": -1},
        {"term": "中", "weight": 2},
    ]
    rules = [{"id": f"r{i}"} | crowded_rule(random_) for i in range(4)]
    return {"rulenet": 1, "lexicons": {"grades": grades}, "rules": rules}


def crowded_text(random_: Random) -> str | dict[str, str]:
    """A text of the same few words, short or some more than `where` reaches, or a record of two such texts."""
    if random_.random() < 0.25:
        return {name: _crowded(random_) for name in FIELDS}
    return _crowded(random_)


def _crowded(random_: Random) -> str:
    glue = [" ", " ", " ", "", " . ", "。", ", ", "\n"]
    n = random_.choice([random_.randint(1, 12), random_.randint(19, 24)])
    return "".join(random_.choice(TOKENS) + random_.choice(glue) for _ in range(n))

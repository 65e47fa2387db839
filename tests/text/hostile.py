"""Short texts to repeat: a few characters of every Unicode category, mixed pairs of them, and what markup and words begin with."""

from __future__ import annotations

import random
import sys
import unicodedata

KNOWN = [
    *(
        "\u0301",
        "\u0323\u0301",
        "e\u0301",
        "\u0344",
        "\U0001d165\U0001d16e",
        "\u0f71\u0f72",
        "\u064e\u0651",
        "क\u093f",
        "\u0345\u0327\u0301",
    ),
    *(
        "\u1161",
        "\u1100\u1161\u11a8",
        "か\u3099",
        "ｶﾞ",
        "\ufdfa",
        "Ａ",
        "\u0640",
        "\u034f",
        "\ufe0f",
        "😀\ufe0f",
        "👩\u200d",
        "\ud800",
    ),
    *(
        "&",
        "<",
        "<a ",
        "&lt;a",
        "#",
        "#39;",
        "a #39;",
        "q",
        "quot;",
        "a",
        "A ",
        "'",
        "a'",
        "'s",
        "a's ",
        "n't ",
        "not ",
        "0.",
        "1.1 ",
        "1",
    ),
    *(
        "好",
        "好 ",
        "好a",
        "不好 ",
        "กา",
        " ",
        "\n",
        ". ",
        "a. ",
        "a.\n",
        "! ",
        "_",
        "-",
        "a-",
        '"',
        "(",
        "\\",
        "http://",
        "א'",
        "good a 0 ",
    ),
]


def units(n_pairs: int = 30) -> list[str]:
    """The texts to repeat, the same in every run."""
    rng = random.Random(0)
    of_category: dict[str, list[str]] = {}
    for code in range(sys.maxunicode + 1):
        of_category.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
    each = [rng.choice(characters) for _, characters in sorted(of_category.items()) for _ in range(2)]
    kinds = sorted(of_category)
    pairs = ["".join(rng.choice(of_category[kind]) for kind in rng.sample(kinds, 2)) for _ in range(n_pairs)]
    return [*KNOWN, *each, *pairs]

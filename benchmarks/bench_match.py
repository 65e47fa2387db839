"""Claims, on one core and AG News texts: rules are matched fast, and adding rules costs little.

- 2,000 word rules: >= 50,000 texts/s, >= 100x a loop of compiled `re` patterns; 20,000 cost less than 3x as much.
- 2,000 rules of which one in ten is `near`, `count`, a phrase with a gap or `negation: skip`: >= 10,000 texts/s.
- 20,000 literals and 2,000 regexes are read, checked and compiled in <= 5 s.
- Only those texts are tagged whose words could match a rule with `pos`.
- >= 5x as fast as spaCy's PhraseMatcher and Matcher on the same words and phrases, from texts to hits, and the same hits except where
  the two split words differently.

Figures of both sides come from one run, in processor time. Needs `pip install spacy` (3.8 was measured; no model) and the extra `pos`.
"""

from __future__ import annotations

import gc
import os
import pickle
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from common import finish, read

N_TEXTS = 20_000
N_RE_TEXTS = 100
N_SPACY_TEXTS = 4_000
N_MATCHER_TEXTS = 400  # spaCy's Matcher tries every pattern at every token
RUNS = 5
LIMIT_TEXTS_PER_S = 50_000
LIMIT_MIXED_TEXTS_PER_S = 10_000
LIMIT_RATIO = 100
LIMIT_GROWTH = 3.0
LIMIT_COMPILE_S = 5.0
LIMIT_SPACY = 5.0

Figures = dict[str, Any]
Claims = dict[str, bool]


def main() -> None:
    """Time everything."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    try:
        import spacy  # noqa: F401
    except ImportError:
        sys.exit("spaCy is compared with and is not installed: pip install spacy")
    os.environ["RULENET_CACHE"] = "off"  # but where it is measured
    texts, _ = read("ag_news", "train")
    random.Random(0).shuffle(texts)
    corpus = Corpus(texts[:N_TEXTS])
    figures: Figures = {}
    claims: Claims = {}
    for part in (measure_words, measure_mixed, measure_compile, measure_tagging, measure_spacy):
        part(corpus, figures, claims)
        gc.collect()
    finish("match", figures, claims, seeds=[0, 1])


class Corpus:
    """The texts and their words, from which rules are made."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        counts = Counter(word for text in texts for word in words_of(text))
        # Without the hundred most frequent words: nobody writes a rule on "the".
        self.vocabulary = [word for word, _ in counts.most_common()][100:]

    def near_words(self, rng: random.Random, gap: int, ranks: slice = slice(0, 3_000)) -> tuple[str, str]:
        """Pick two frequent words that occur in one text with at most this many words between them."""
        frequent = set(self.vocabulary[ranks])
        while True:
            words = words_of(rng.choice(self.texts))
            at = [i for i in range(len(words) - gap - 1) if words[i] in frequent and words[i + gap + 1] in frequent]
            if at:
                i = rng.choice(at)
                return words[i], words[i + gap + 1]


def words_of(text: str) -> list[str]:
    """Return plain words in lower case."""
    return re.findall(r"[a-z]{3,}", text.lower())


def speed(run: Callable[[], Any], n_texts: int, runs: int = RUNS) -> float:
    """Measure texts per second, as the median of several runs."""
    return n_texts / sorted(timed(run) for _ in range(runs))[runs // 2]


def timed(run: Callable[[], Any]) -> float:
    """Measure the processor time of a call in seconds: all work is done in one thread, and other programs do not matter."""
    started = time.process_time()
    run()
    return time.process_time() - started


def ruleset_of(conditions: list[str]) -> Any:
    """Make one rule per condition."""
    from rulenet import RuleSet

    rules = "".join(f"  - {{id: r{i}, label: A, {condition}}}\n" for i, condition in enumerate(conditions))
    return RuleSet.from_yaml(f"rulenet: 1\nlanguage: en\nrules:\n{rules}")


# ---------------------------------------------------------------------- word rules


def measure_words(corpus: Corpus, figures: Figures, claims: Claims) -> None:
    """2,000 and 20,000 word rules, and a loop of `re` on the same words with word boundaries."""
    pool = corpus.vocabulary[: int(1.1 * 20_000)]
    words = {n: random.Random(1).sample(pool, n) for n in (2_000, 20_000)}
    rulesets = {n: ruleset_of([f"word: '{word}'" for word in some]) for n, some in words.items()}
    seconds: dict[int, list[float]] = {n: [] for n in words}
    for ruleset in rulesets.values():
        ruleset.match(corpus.texts[:600])  # compile
    for _ in range(RUNS):  # in turn, so that a drift of the machine's speed meets both
        for n, ruleset in rulesets.items():
            seconds[n].append(timed(lambda ruleset=ruleset: ruleset.match(corpus.texts)))
    few = corpus.texts[:N_RE_TEXTS]
    patterns = [re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE) for word in words[2_000]]
    started = time.process_time()
    expected = [{j for j, pattern in enumerate(patterns) if pattern.search(text)} for text in few]
    re_speed = N_RE_TEXTS / (time.process_time() - started)
    R = rulesets[2_000].match(few)
    differing = sum(set(R[i].indices.tolist()) != expected[i] for i in range(len(few)))
    per_s = {n: N_TEXTS / sorted(times)[RUNS // 2] for n, times in seconds.items()}
    growth = sorted(b / a for a, b in zip(seconds[2_000], seconds[20_000], strict=True))[RUNS // 2]
    figures |= {
        "texts_per_s_2000": round(per_s[2_000]),
        "texts_per_s_20000": round(per_s[20_000]),
        "re_loop_texts_per_s_2000": round(re_speed, 1),
        "ratio_to_re_loop": round(per_s[2_000] / re_speed),
        "cost_growth_2000_to_20000": round(growth, 2),
        "texts_with_other_hits_than_re": f"{differing} of {N_RE_TEXTS}",
    }
    claims[f">= {LIMIT_TEXTS_PER_S:,} texts/s on one core at 2,000 rules"] = per_s[2_000] >= LIMIT_TEXTS_PER_S
    claims[f">= {LIMIT_RATIO}x a loop of compiled re patterns"] = per_s[2_000] / re_speed >= LIMIT_RATIO
    claims[f"cost grows less than {LIMIT_GROWTH}x from 2,000 to 20,000 rules"] = growth < LIMIT_GROWTH
    claims["the same hits as re on texts without entities"] = differing <= N_RE_TEXTS // 20


# ---------------------------------------------------------------------- one rule in ten looks at the text itself


def measure_mixed(corpus: Corpus, figures: Figures, claims: Claims) -> None:
    """2,000 rules with `near`, `count`, gaps and negation among them, each kind also alone."""
    simple, kinds = mixed_rules(corpus)
    mixed = simple + [rule for rules in kinds.values() for rule in rules]
    few = corpus.texts[: N_TEXTS // 2]
    figures["mixed"] = {}
    for name, rules in {"all": mixed, "words alone": simple, **{k: simple + r for k, r in kinds.items()}}.items():
        ruleset = ruleset_of(rules)
        R = ruleset.match(few)  # compile
        figures["mixed"][name] = {
            "rules": len(rules),
            "texts_per_s": round(speed(lambda ruleset=ruleset: ruleset.match(few), len(few), 3)),
            "hits_per_text": round(R.nnz / len(few), 2),
        }
        if name == "all":
            fired = R.getnnz(axis=0) > 0
            figures["mixed"][name]["rules_that_fire"] = int(fired.sum())
    per_s = figures["mixed"]["all"]["texts_per_s"]
    claims[f">= {LIMIT_MIXED_TEXTS_PER_S:,} texts/s with near, count, gap and negation in 10 % of 2,000 rules"] = (
        per_s >= LIMIT_MIXED_TEXTS_PER_S
    )


def mixed_rules(corpus: Corpus) -> tuple[list[str], dict[str, list[str]]]:
    """1,800 word rules, and 50 of each kind that looks at the text itself."""
    rng = random.Random(1)
    simple = [f"word: '{word}'" for word in rng.sample(corpus.vocabulary[:22_000], 1_800)]
    return simple, {kind: [write(corpus, rng) for _ in range(50)] for kind, write in MIXED.items()}


def near(corpus: Corpus, rng: random.Random) -> str:
    """Pick two words of one text with up to four words between them."""
    a, b = corpus.near_words(rng, rng.randint(1, 4))
    return f"near: {{terms: ['{a}', '{b}'], within: 5}}"


def count(corpus: Corpus, rng: random.Random) -> str:
    """Pick two of three frequent words, two of which occur in one text."""
    a, b = corpus.near_words(rng, 3)
    return f"count: {{word: ['{a}', '{b}', '{rng.choice(corpus.vocabulary[:3_000])}'], at_least: 2}}"


def gap(corpus: Corpus, rng: random.Random) -> str:
    """Pick two words of one text, up to three words apart."""
    return f"phrase: '{' '.join(corpus.near_words(rng, rng.randint(0, 2)))}', gap: 3"


def negation(corpus: Corpus, rng: random.Random) -> str:
    """Two frequent words."""
    return (
        f"word: ['{rng.choice(corpus.vocabulary[:3_000])}', '{rng.choice(corpus.vocabulary[:3_000])}'], negation: skip"
    )


MIXED = {"near": near, "count": count, "gap": gap, "negation: skip": negation}


# ---------------------------------------------------------------------- compiling


def measure_compile(corpus: Corpus, figures: Figures, claims: Claims) -> None:
    """Reading, the second time from the cache on disk; compiling; pickling."""
    rng = random.Random(1)
    literals = [f"word: '{word}'" for word in rng.sample(corpus.vocabulary[:22_000], 20_000)]
    shapes = (r"\b{}[a-z]{{0,3}} (of|in|for)\b", r"\b\d+(\.\d+)? (percent )?{}", r"\b{}\b.{{0,30}}\b{}\b")
    some = corpus.vocabulary[:10_000]
    regexes = [f"regex: '{shapes[i % 3].format(rng.choice(some), rng.choice(some))}'" for i in range(2_000)]
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RULENET_CACHE"] = folder
        for name in ("read_and_check_s", "read_from_cache_s"):
            started = time.process_time()
            ruleset = ruleset_of(literals + regexes)
            seconds[name] = round(time.process_time() - started, 2)
        os.environ["RULENET_CACHE"] = "off"
    seconds["compile_s"] = round(timed(lambda: ruleset.matcher("en")), 2)
    few = corpus.texts[:2_000]
    R = ruleset.match(few)
    dumped = pickle.dumps(ruleset)
    loaded = pickle.loads(dumped)
    figures["compile"] = {
        "literals": len(literals),
        "regexes": len(regexes),
        **seconds,
        "pickle_mb": round(len(dumped) / 1e6, 1),
        "texts_per_s": round(speed(lambda: ruleset.match(few), len(few), 3)),
    }
    claims[f"20,000 literals and 2,000 regexes read and compiled in <= {LIMIT_COMPILE_S:.0f} s, without the cache"] = (
        seconds["read_and_check_s"] + seconds["compile_s"] <= LIMIT_COMPILE_S
    )
    claims["a pickled ruleset hits the same"] = (loaded.match(few) != R).nnz == 0


# ---------------------------------------------------------------------- tagging


def measure_tagging(corpus: Corpus, figures: Figures, claims: Claims) -> None:
    """Measure which texts are tagged for twenty rules with a word and a tag."""
    from rulenet.text.tag import Tagger

    words = random.Random(1).sample(corpus.vocabulary[:1_000], 20)
    few = corpus.texts[:2_000]
    ruleset = ruleset_of([f"all: [{{word: '{word}'}}, {{pos: 'ADJ NOUN'}}]" for word in words])
    hopeful = int((ruleset_of([f"word: '{word}'" for word in words]).match(few).getnnz(axis=1) > 0).sum())
    tagged: list[str] = []
    tag = Tagger.tag

    def counted(self: Tagger, text: str) -> Any:
        tagged.append(text)
        return tag(self, text)

    Tagger.tag = counted  # type: ignore[method-assign]
    try:
        ruleset.match(few)
    finally:
        Tagger.tag = tag  # type: ignore[method-assign]
    figures["tagging"] = {"texts": len(few), "with_a_word_hit": hopeful, "tagged": len(tagged)}
    claims["only texts whose words hit are tagged, each once"] = len(tagged) == hopeful < len(few)


# ---------------------------------------------------------------------- spaCy


def measure_spacy(corpus: Corpus, figures: Figures, claims: Claims) -> None:
    """The same 2,000 words and phrases in both, from texts to hits; then 50 pairs of words with gaps."""
    from spacy_side import Spacy, differences, gapped_differences

    from rulenet.text.clean import clean

    rng = random.Random(1)
    terms = rng.sample(corpus.vocabulary[:22_000], 1_500)
    while len(terms) < 2_000:
        terms = list(dict.fromkeys([*terms, " ".join(corpus.near_words(rng, 0))]))
    pairs = [corpus.near_words(rng, rng.randint(0, 2), slice(0, 400)) for _ in range(50)]
    words = ruleset_of([f"phrase: '{term}'" for term in terms])
    gapped = ruleset_of([f"phrase: '{first} {last}', gap: 3" for first, last in pairs])
    # spaCy reads no entities; where markup comes to light only by cleaning, rulenet would clean again.
    few = [text for text in map(clean, corpus.texts) if clean(text) == text][:N_SPACY_TEXTS]
    spacy = Spacy(terms, pairs, gap=3)
    docs = list(spacy.nlp.pipe(few))
    ours, ours_gapped = hits(words, few), hits(gapped, few)
    differing, unexplained = differences(ours, spacy.phrase_hits(docs), words, terms, docs)
    gaps_differing, gaps_unexplained = gapped_differences(ours_gapped, spacy.gapped_hits(docs), gapped, spacy, docs)
    some, some_docs = few[:N_MATCHER_TEXTS], docs[:N_MATCHER_TEXTS]
    per_s = {
        "rulenet": speed(lambda: words.match(few), len(few), 3),
        "PhraseMatcher": speed(lambda: spacy.phrase_hits(spacy.nlp.pipe(few)), len(few), 3),
        "PhraseMatcher, texts split before": speed(lambda: spacy.phrase_hits(docs), len(few), 3),
        "Matcher": speed(lambda: spacy.token_hits(spacy.nlp.pipe(some)), len(some), 1),
        "Matcher, texts split before": speed(lambda: spacy.token_hits(some_docs), len(some), 1),
    }
    gaps_per_s = {
        "rulenet": speed(lambda: gapped.match(few), len(few), 3),
        "Matcher": speed(lambda: spacy.gapped_hits(spacy.nlp.pipe(few)), len(few), 1),
    }
    figures["spacy"] = spacy_figures(per_s, len(ours), differing, unexplained)
    figures["spacy_gaps"] = spacy_figures(gaps_per_s, len(ours_gapped), gaps_differing, gaps_unexplained)
    for name in ("PhraseMatcher", "Matcher"):
        claims[f">= {LIMIT_SPACY:.0f}x spaCy's {name}, 2,000 words and phrases, from texts to hits"] = (
            per_s["rulenet"] >= LIMIT_SPACY * per_s[name]
        )
    claims[f">= {LIMIT_SPACY:.0f}x spaCy's Matcher, 50 pairs with gaps"] = (
        gaps_per_s["rulenet"] >= LIMIT_SPACY * gaps_per_s["Matcher"]
    )
    claims["the same hits as spaCy but where words are split differently"] = not unexplained + gaps_unexplained


def hits(ruleset: Any, texts: list[str]) -> set[tuple[int, int]]:
    """Return pairs of text and rule."""
    R = ruleset.match(texts).tocoo()
    return set(zip(R.row.tolist(), R.col.tolist(), strict=True))


def spacy_figures(per_s: dict[str, float], n_hits: int, differing: dict[str, int], unexplained: list[str]) -> Figures:
    """Return one comparison for the record."""
    return {
        "texts_per_s": {name: round(value) for name, value in per_s.items()},
        "times": {name: round(per_s["rulenet"] / value, 1) for name, value in per_s.items() if name != "rulenet"},
        "hits": n_hits,
        "differing": differing,
        "unexplained": unexplained[:5],
    }


if __name__ == "__main__":
    main()

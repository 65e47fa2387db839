"""rulenet.rules.conditions.formula and rulenet.rules.lint.logic: proofs by hand, and random rules on which no proof may be wrong."""

from __future__ import annotations

import random
from itertools import product

import pytest

from rulenet.rules.conditions.formula import ALWAYS, NEVER, And, Fact, Not, Or, WordLists, both, denial, either
from rulenet.rules.conditions.kinds import parts_of
from rulenet.rules.engine.evaluate import RuleMatcher
from rulenet.rules.lint.logic import contradiction, dead_parts, entails
from rulenet.rules.lint.smells_logic import rule_formula
from rulenet.rules.ruleset import RuleSet
from rulenet.text.doc import Doc
from rulenet.text.record import Record
from rulenet.text.tag import Tagger
from rulenet.text.tokenise import Tokeniser

A, B, C = (Fact("word", word) for word in "abc")
AB = Fact("word", "a b")


def formula_of(fields: str) -> object:
    ruleset = RuleSet.from_yaml(f"{{rulenet: 1, lexicons: {{l: [cat, dog]}}, rules: [{{id: a, label: x, {fields}}}]}}")
    rule = ruleset.file.rules[0]
    return rule_formula(rule, parts_of(rule), WordLists(ruleset.lexicons))


# Formulas


def test_formulas_are_flat() -> None:
    assert either([A, either([B, C])]) == Or(frozenset((A, B, C)))
    assert both([A, both([B, Not(C)])]) == And(frozenset((A, B, Not(C))))
    assert both([Not(A), Not(B)]) == Not(either([A, B]))
    assert either([A]) == both([A]) == A


def test_what_always_and_never_holds() -> None:
    assert denial(ALWAYS) == NEVER
    assert denial(denial(A)) == A
    assert either([A, ALWAYS]) == ALWAYS
    assert both([A, NEVER]) == NEVER


SAME = [
    ("word: [cat, dog]", "lexicon: l"),
    ("word: [cat, dog]", "any: [{word: dog}, {phrase: Cat}]"),
    ("word: 'dog', unless: [{word: b}]", "all: [{none: [{word: b}]}, {any: [{word: DOG}]}]"),
    ("count: {word: a, at_least: 1}", "word: a"),
    ("near: {terms: [a, b]}", "near: {terms: [a, b]}"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_condition_written_twice(one: str, other: str) -> None:
    assert formula_of(one) == formula_of(other)


DIFFERENT = [
    ("word: cat", "word: cat, case: exact"),
    ("word: cat", "word: cat, forms: lemma"),
    ("word: cat", "word: cat, where: start"),
    ("word: cat", "word: cat, negation: skip"),
    ("word: cat", "word: cat, field: title"),
    ("phrase: a b", "phrase: a b, gap: 1"),
    ("word: 猫", "word: 猫, segmented: true"),
    ("near: {terms: [a, b]}", "near: {terms: [a, b], within: 4}"),
    ("count: {word: a, at_least: 2}", "count: {word: a, at_least: 3}"),
    ("regex: cat", "regex: cat, case: exact"),
    ("starts: cat", "ends: cat"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_options_make_a_difference(one: str, other: str) -> None:
    assert formula_of(one) != formula_of(other)


# What follows

FOLLOWS = [
    ("phrase: video game", "word: game"),
    ("word: 打电话", "word: 电话"),
    ("word: A股跌", "word: A 股"),
    ("word: Edu Trust认证", "word: trust认证"),
    ("starts: A股大涨", "starts: A 股"),
    ("word: cat", "lexicon: l"),
    ("word: Cat, case: exact", "word: cat"),
    ("word: refund", "word: refund, forms: lemma"),
    ("word: cat, where: start", "word: cat"),
    ("phrase: good film, negation: skip", "word: film"),
    ("word: cat, field: title", "word: cat"),
    ("starts: breaking news", "phrase: breaking news"),
    ("starts: breaking news", "starts: breaking"),
    ("near: {terms: [coach, fired]}", "word: coach"),
    ("count: {word: a, at_least: 2}", "word: a"),
    ("phrase: big game, gap: 2", "word: game"),
    ("all: [{word: a}, {word: b}]", "word: b"),
    ("length: {at_least: 5, at_most: 6}", "length: {at_most: 9}"),
    ("none: [{word: game}]", "none: [{phrase: video game}]"),
]


@pytest.mark.parametrize(("one", "other"), FOLLOWS)
def test_one_holds_wherever_the_other_does(one: str, other: str) -> None:
    assert entails(formula_of(one), formula_of(other))
    assert not entails(formula_of(other), formula_of(one))


NO_PROOF = [
    ("word: game", "word: gam"),  # whole words only
    ("word: cat", "word: Cat, case: exact"),
    ("word: refunds", "word: refund"),
    ("word: LA股东", "word: A股"),
    ("word: 第13天", "word: 3天"),
    ("phrase: big game, gap: 2", "phrase: big game"),
    ("starts: cat, field: body", "starts: cat"),  # the body may be the second field
    ("regex: ^cat, field: body", "regex: ^cat"),
    ("count: {word: a, at_most: 2}", "word: a"),
    ("phrase: good film, where: first_sentence", "word: film, where: first_sentence"),  # it may end in the second
    ("near: {terms: [coach, fired]}", "phrase: coach fired"),
]


@pytest.mark.parametrize(("one", "other"), NO_PROOF)
def test_what_looks_like_it_follows(one: str, other: str) -> None:
    assert not entails(formula_of(one), formula_of(other))


# What can never hold

DEAD = [
    ("word: game, unless: [{word: game}]", "'game' must be there and is ruled out"),
    ("phrase: video game, unless: [{word: game}]", "'video game' must be there, but then 'game' is there too"),
    ("word: 实况足球, unless: [{word: 足球}]", "'实况足球' must be there, but then '足球' is there too"),
    ("word: [cat], unless: [{lexicon: l}]", "'cat' must be there and is ruled out"),
    ("lexicon: l, unless: [{word: [dog, bird, cat]}]", "'cat' must be there and is ruled out"),
    ("all: [{word: a}, {word: b}, {none: [{word: b}]}]", "'b' must be there and is ruled out"),
    ("all: [{word: a}, {any: [{all: [{word: c}, {none: [{word: c}]}]}]}]", "'c' must be there and is ruled out"),
    ("near: {terms: [coach, fired]}, unless: [{word: fired}]", "'fired' must be there and is ruled out"),
    ("all: [{length: {at_least: 10}}, {length: {at_most: 5}}]", "the text must have at least 10 words and at most 5"),
    ("all: [{phrase: a b c}, {length: {at_most: 2}}]", "the text must have at least 3 words and at most 2"),
    ("all: [{word: 电话卡}, {length: {at_most: 2, unit: characters}}]", "at least 3 characters and at most 2"),
    ("all: [{lang: en}, {lang: zh}]", "lang 'en' and lang 'zh' exclude each other"),
    ("all: [{starts: cat}, {starts: [dog, bird]}]", "exclude each other"),
]


@pytest.mark.parametrize(("fields", "reason"), DEAD)
def test_dead(fields: str, reason: str) -> None:
    assert reason in str(contradiction(formula_of(fields)))


@pytest.mark.parametrize(
    "fields",
    [
        "word: game, unless: [{phrase: video game}]",
        "word: game, unless: [{word: game, field: title}]",
        "word: game, unless: [{word: Game, case: exact}]",
        "all: [{word: a}, {none: [{word: b}]}]",
        "all: [{word: a}, {length: {at_most: 1}}]",
        "all: [{length: {at_least: 5}}, {length: {at_most: 5}}]",
        "all: [{length: {at_most: 5}, field: title}, {length: {at_least: 10}}]",
        "all: [{starts: breaking}, {starts: breaking news}]",
        "all: [{starts: 【快讯】}, {starts: 快讯}]",
        "all: [{word: 会员 VIP 卡}, {length: {at_most: 6, unit: characters}}]",
        "all: [{phrase: 不 好, gap: 2}, {length: {at_most: 2, unit: characters}}]",
        "word: LA股东, unless: [{word: A股}]",
        "count: {word: a, at_least: 2}, unless: [{count: {word: a, at_least: 3}}]",
    ],
)
def test_alive(fields: str) -> None:
    assert contradiction(formula_of(fields)) is None


def test_dead_alternatives() -> None:
    formula = formula_of("word: [film, 'game', vote], unless: [{word: [game, vote]}]")
    assert sorted(reason for _, reason in dead_parts(formula)) == [
        "'game' must be there and is ruled out",
        "'vote' must be there and is ruled out",
    ]
    assert list(dead_parts(formula_of("word: [film, game], unless: [{phrase: video game}]"))) == []


# No proof is wrong: random rules, asked of every text of up to four words


def _random_condition(rng: random.Random, depth: int) -> str:
    words = ["a", "b", "a b", "A", "b a", "足", "球", "足球", "A足", "a 足球", "足a"]
    kind = rng.choice(
        ["word", "word", "phrase", "starts", "ends", "regex", "length", "lang", "count", "near", "any", "all", "none"]
    )
    field = rng.choice(["", "", "", ", field: t"])
    if kind in ("any", "all", "none") and depth:
        return f"{{{kind}: [{_random_condition(rng, depth - 1)}, {_random_condition(rng, depth - 1)}]{field}}}"
    if kind == "length":
        low = rng.randrange(4)
        return f"{{length: {{at_least: {low}, at_most: {low + rng.randrange(3)}, unit: {rng.choice(['words', 'characters'])}}}{field}}}"
    if kind == "lang":
        return f"{{lang: {rng.choice(['en', 'zh'])}}}"
    if kind == "count":
        return (
            f"{{count: {{word: {rng.choice('ab')}, {rng.choice(['at_least', 'at_most'])}: {rng.randrange(3)}}}{field}}}"
        )
    if kind == "near":
        return f"{{near: {{terms: [a, {rng.choice('ab')}], within: {rng.randrange(2)}}}{field}}}"
    if kind == "regex":
        return f"{{regex: '{rng.choice(['^a', 'b$', 'a.b'])}'{field}}}"
    kind = kind if kind in ("starts", "ends") else "phrase"
    options = rng.choice(["", "", ", case: exact", ", gap: 1", ", segmented: true"])
    if kind != "phrase" and "gap" in options:
        options = ""
    return f"{{{kind}: [{rng.choice(words)}, {rng.choice(words)}]{options}{field}}}"


def _random_rule(rng: random.Random, i: int) -> str:
    unless = f", unless: [{_random_condition(rng, 1)}]" if rng.random() < 0.7 else ""
    where = rng.choice(["", "", ", where: first_sentence", ", negation: skip", ", negation: require"])
    more = f", {_random_condition(rng, 1)}" if i % 2 else ""
    return f"{{id: r{i}, label: x, all: [{_random_condition(rng, 2)}{more}]{unless if i % 2 else ''}{where}}}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_no_proof_is_wrong(seed: int) -> None:
    rng = random.Random(seed)
    rules = ",\n".join(_random_rule(rng, i) for i in range(150))
    ruleset = RuleSet.from_yaml(f"{{rulenet: 1, rules: [{rules}]}}")
    formulas = [rule_formula(rule, parts_of(rule), WordLists({})) for rule in ruleset.file.rules]
    tagger = Tagger(Tokeniser("en"))
    texts = [" ".join(words) for n in range(4) for words in product(["a", "b", "A", "not", "足球", "b."], repeat=n)]
    texts += ["".join(pieces) for n in range(1, 5) for pieces in product(["a", "足", "球", "\n"], repeat=n)]
    texts += [Record.of({"s": one, "t": two}) for one, two in product(["a", "b a", "足球"], ["a b", "b", "A", "a b a"])]
    docs = [Doc(text, tagger) for text in texts]
    fires: list[set[int]] = []
    for matcher in ruleset.evaluators("en"):
        fires.append({i for i, doc in enumerate(docs) if matcher.find(doc) is not None})
    dead = [i for i, formula in enumerate(formulas) if contradiction(formula)]
    assert len(dead) > 3
    assert {ruleset.ids[i]: fires[i] for i in dead if fires[i]} == {}
    proved = [
        (i, j)
        for i, j in product(range(150), repeat=2)
        if i != j and i not in dead and entails(formulas[i], formulas[j])
    ]
    assert len(proved) > 30
    wrong = [(ruleset.ids[i], ruleset.ids[j]) for i, j in proved if not fires[i] <= fires[j]]
    assert wrong == []


def test_the_plain_reading_agrees_on_one() -> None:
    # The harness above would prove nothing if its rules never fired.
    ruleset = RuleSet.from_yaml(
        "{rulenet: 1, rules: [{id: r, label: x, all: [{phrase: a b}, {length: {at_most: 3}}]}]}"
    )
    (matcher,) = ruleset.evaluators("en")
    assert isinstance(matcher, RuleMatcher)
    assert matcher.find(Doc("a b", Tagger(Tokeniser("en")))) == [(0, 3)]

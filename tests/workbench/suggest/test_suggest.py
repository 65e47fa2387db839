"""`suggest` on texts made for the purpose: what is planted is found, what is noise is not, and nothing leaks."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

from rulenet.errors import InputError, ParameterError
from rulenet.estimator import RuleNetClassifier
from rulenet.rules.ruleset import RuleSet
from rulenet.rules.testing.examples import run_examples
from rulenet.training.recipe import Recipe
from rulenet.workbench.suggest.keep import append_rules
from rulenet.workbench.suggest.parts import part
from rulenet.workbench.suggest.selection import Rows, best_weight, greedy, lift, likelihood_change
from rulenet.workbench.suggest.suggest import suggest
from rulenet.workbench.suggest.suggestion import Suggestions

PRESENT = """rulenet: 1
language: en
labels: [Sports, Money]
rules:
  - {id: sports.goal, label: Sports, word: [goal]}
  - {id: money.bank, label: Money, word: [bank]}
"""
FILLER = [f"filler{first}{second}" for first in "abcdefgh" for second in "abcdefgh"]


def texts_of(words: dict[str, list[str]], n: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Return n texts of each label: at most two of its words among filler without meaning."""
    rng = random.Random(seed)
    texts, labels = [], []
    for label, own in words.items():
        for _ in range(n):
            says = rng.sample(own, rng.choice([1, 1, 2])) if rng.random() < 0.8 else []
            tokens = [*rng.sample(FILLER, 8), *says]
            rng.shuffle(tokens)
            texts.append(" ".join(tokens))
            labels.append(label)
    return texts, labels


PLANTED = {"Sports": ["goal", "striker", "keeper", "stadium"], "Money": ["bank", "shares", "profit", "dividend"]}


@pytest.fixture(scope="module")
def found() -> Suggestions:
    return suggest(RuleSet.from_yaml(PRESENT), *texts_of(PLANTED, 400), random_state=0)


def words_of(suggestions: Suggestions) -> dict[str, set[str]]:
    words: dict[str, set[str]] = {}
    for suggestion in suggestions.new:
        words.setdefault(suggestion.rule["label"], set()).update(suggestion.rule.get("word", []))
    return words


def test_planted_words_are_found_under_their_label(found: Suggestions) -> None:
    words = words_of(found)
    assert {"striker", "keeper", "stadium"} <= words["Sports"]
    assert {"shares", "profit", "dividend"} <= words["Money"]
    assert not words["Sports"] & words["Money"]
    assert not (words["Sports"] | words["Money"]) & {"goal", "bank", *FILLER}  # in rules already, or without meaning


def test_they_make_the_rules_more_accurate_on_texts_neither_step_saw(found: Suggestions) -> None:
    assert found.accuracy_after > found.accuracy_before + 0.1
    assert found.n_mined + found.n_chosen + found.n_held_out == 800
    assert abs(found.n_held_out - 240) <= 1


def test_every_suggestion_reads_back_and_fires_as_claimed(found: Suggestions) -> None:
    texts, labels = texts_of(PLANTED, 400)
    ruleset = RuleSet.from_yaml(f"{PRESENT}\n{found.yaml}\n")
    R = ruleset.match(texts)[:, 2:]
    assert np.asarray(R.sum(axis=0)).ravel().tolist() == [suggestion.support for suggestion in found.new]
    held_out = part(texts, 0.3, 0).held_out
    fires = R[held_out]
    is_label = [[label == s.rule["label"] for s in found.new] for label in np.array(labels)[held_out]]
    assert np.asarray(fires.sum(axis=0)).ravel().tolist() == [s.fires for s in found.new]
    assert np.asarray(fires.multiply(is_label).sum(axis=0)).ravel().tolist() == [s.right for s in found.new]


def test_every_suggestion_has_examples_that_pass(found: Suggestions) -> None:
    ruleset = RuleSet.from_yaml(f"rulenet: 1\nlanguage: en\nrules:\n{found.yaml}\n")
    assert all(rule.examples.match and rule.examples.reject for rule in ruleset.rules)
    assert [result for result in run_examples(ruleset) if not result.passed] == []


def test_examples_are_never_held_out_texts(found: Suggestions) -> None:
    texts, _ = texts_of(PLANTED, 400)
    held_out = {texts[i] for i in part(texts, 0.3, 0).held_out}
    shown = [text for s in found.new for kind in s.rule["examples"].values() for text in kind]
    assert shown
    assert not held_out & set(shown)


def test_a_second_run_does_not_suggest_the_same_again(found: Suggestions) -> None:
    again = suggest(RuleSet.from_yaml(f"{PRESENT}\n{found.yaml}\n"), *texts_of(PLANTED, 400), random_state=1)
    assert not set().union(*words_of(again).values()) & set().union(*words_of(found).values())


def test_a_rule_that_is_switched_off_is_not_suggested_again(found: Suggestions) -> None:
    off = found.yaml.replace("\n    label:", "\n    enabled: false\n    label:")
    again = suggest(RuleSet.from_yaml(f"{PRESENT}\n{off}\n"), *texts_of(PLANTED, 400), random_state=0)
    assert not set().union(set(), *words_of(again).values()) & set().union(*words_of(found).values())


def test_random_labels_give_no_rules() -> None:
    texts, labels = texts_of(PLANTED, 400)
    random.Random(1).shuffle(labels)
    assert [s.rule["id"] for s in suggest(RuleSet.from_yaml(PRESENT), texts, labels).new if s.is_confirmed] == []


def test_copies_of_a_text_stay_in_one_part() -> None:
    """Three copies of one story, each with another number: a word of it alone must not be confirmed by its own copies."""
    texts, _ = texts_of(PLANTED, 100)
    copies = [f"{text} price {i}!" for text in texts for i in (1, 22, 333)]
    parts = part(copies, 0.3, 0)
    owner = {row: name for name in ("mined", "chosen", "held_out") for row in getattr(parts, name).tolist()}
    assert sorted(owner) == list(range(600))
    assert all(len({owner[3 * i + k] for k in range(3)}) == 1 for i in range(200))


def test_a_planted_leak_is_named() -> None:
    texts, labels = texts_of(PLANTED, 200)
    leaky = [f"{text} topic{label}" for text, label in zip(texts, labels, strict=True)]
    notes = suggest(RuleSet.from_yaml(PRESENT), leaky, labels).notes
    assert any("topicSports" in note and "remove it first" in note for note in notes)
    assert suggest(RuleSet.from_yaml(PRESENT), texts, labels).notes == []


def test_the_held_out_labels_decide_nothing() -> None:
    """Turn every held-out label around: the same rules are suggested, with other figures."""
    texts, labels = texts_of(PLANTED, 300)
    held_out = set(part(texts, 0.3, 0).held_out.tolist())
    turned = [
        ("Money" if label == "Sports" else "Sports") if i in held_out else label for i, label in enumerate(labels)
    ]
    ruleset = RuleSet.from_yaml(PRESENT)
    one, other = suggest(ruleset, texts, labels), suggest(ruleset, texts, turned)
    assert [s.rule for s in one.new] == [s.rule for s in other.new]
    assert other.accuracy_after < one.accuracy_after


def test_same_seed_same_suggestions(found: Suggestions) -> None:
    again = suggest(RuleSet.from_yaml(PRESENT), *texts_of(PLANTED, 400), random_state=0)
    assert json.dumps(again.to_dict()) == json.dumps(found.to_dict())


def test_a_model_moves_the_search_to_its_own_mistakes() -> None:
    class KnowsSports:
        """Right on every text with a sports word; undecided else."""

        classes_ = np.array(["Money", "Sports"])

        def predict_proba(self, texts: list[str]) -> np.ndarray:
            sure = [bool(set(PLANTED["Sports"]) & set(text.split())) for text in texts]
            return np.array([[0.02, 0.98] if s else [0.6, 0.4] for s in sure])

    words = words_of(suggest(RuleSet.from_yaml(PRESENT), *texts_of(PLANTED, 400), KnowsSports()))
    assert {"shares", "profit", "dividend"} <= words["Money"]
    assert not words.get("Sports")


@pytest.mark.slow
def test_a_model_asked_of_its_own_training_texts_is_named() -> None:
    texts, labels = texts_of(PLANTED, 400)
    tangled = [label if i % 5 else labels[-i] for i, label in enumerate(labels)]  # what only memory gets right
    unique = [f"{text} unique{chr(97 + i % 26)}{chr(97 + i // 26)}" for i, text in enumerate(texts)]
    clf = RuleNetClassifier(RuleSet.from_yaml(PRESENT), encoder=None, recipe=Recipe.of(C=1000.0)).fit(unique, tangled)
    assert any(
        "held out of its training" in note for note in suggest(RuleSet.from_yaml(PRESENT), unique, tangled, clf).notes
    )
    fresh, right = texts_of(PLANTED, 400, seed=1)
    tangled = [label if i % 5 else right[-i] for i, label in enumerate(right)]
    assert suggest(RuleSet.from_yaml(PRESENT), fresh, tangled, clf).notes == []


def test_a_model_of_other_labels_is_refused() -> None:
    class Other:
        classes_ = np.array(["a", "b"])

    with pytest.raises(InputError, match="the labels of the model are a, b, but those of the texts are Money, Sports"):
        suggest(RuleSet.from_yaml(PRESENT), *texts_of(PLANTED, 100), Other())


def test_what_two_words_say_together() -> None:
    rng = random.Random(0)
    rows = [("river bank", "Other"), ("bank", "Money"), ("river", "Nature"), ("plain", "Nature")] * 150
    texts = [" ".join([*rng.sample(FILLER, 8), words]) for words, _ in rows]
    ruleset = RuleSet.from_yaml(
        "{rulenet: 1, language: en, rules: [{id: money.m, label: Money, word: money}, {id: nature.n, label: Nature, word: plain}]}"
    )
    rules = [s.rule for s in suggest(ruleset, texts, [label for _, label in rows]).new]
    together = [rule for rule in rules if rule["label"] == "Other"]
    assert together[0].get("phrase") == ["river bank"] or together[0].get("all")


@pytest.mark.slow
def test_chinese_words() -> None:
    rng = random.Random(0)
    filler = [a + b for a in "春夏秋冬东西南北" for b in "山水花鸟云月"]
    own = {"体育": ["球员", "比赛", "冠军"], "财经": ["股票", "基金", "银行"]}
    texts, labels = [], []
    for label, words in own.items():
        for _ in range(300):
            texts.append("，".join([*rng.sample(filler, 3), *(rng.sample(words, 1) if rng.random() < 0.6 else [])]))
            labels.append(label)
    ruleset = RuleSet.from_yaml(
        "{rulenet: 1, language: zh, rules: [{id: a, label: 体育, word: 球员}, {id: b, label: 财经, word: 股票}]}"
    )
    words = words_of(suggest(ruleset, texts, labels))
    assert {"比赛", "冠军"} <= words["体育"]
    assert {"基金", "银行"} <= words["财经"]


# ------------------------------------------------------------------ advice


def advice_on(rules: str) -> dict[tuple[str, str], str | None]:
    texts, labels = texts_of({**PLANTED, "Sports": [*PLANTED["Sports"], "transfer"]}, 400)
    texts = [
        f"{text} shares" if label == "Sports" and i % 6 == 0 else text
        for i, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    ruleset = RuleSet.from_yaml(f"rulenet: 1\nlanguage: en\nlabels: [Sports, Money]\nrules:\n{rules}")
    return {(a.kind, a.rule): a.other or a.yaml for a in suggest(ruleset, texts, labels).advice}


def test_rules_that_never_fire_or_speak_for_the_wrong_label_are_to_be_dropped() -> None:
    found = advice_on(
        "  - {id: never, label: Money, word: zebra}\n"
        "  - {id: wrong, label: Money, word: [striker, keeper]}\n"
        "  - {id: good, label: Sports, word: stadium}\n"
    )
    assert ("drop", "never") in found
    assert ("drop", "wrong") in found
    assert not any(rule == "good" for _, rule in found)


def test_a_rule_within_another_is_to_be_merged() -> None:
    found = advice_on(
        "  - {id: wide, label: Money, word: [profit, dividend, bank]}\n"
        "  - {id: narrow, label: Money, word: profit}\n"
        "  - {id: sports, label: Sports, word: profit}\n"
    )
    assert found.get(("merge", "narrow")) == "wide" or ("drop", "narrow") in found
    assert ("merge", "wide") not in found


def test_a_loose_rule_gets_an_exception_that_reads_back() -> None:
    found = advice_on("  - {id: loose, label: Money, word: shares}\n  - {id: sports, label: Sports, word: [stadium]}\n")
    yaml = found["tighten", "loose"]
    assert yaml is not None
    ruleset = RuleSet.from_yaml(f"rulenet: 1\nrules:\n  - id: loose\n    label: Money\n    word: shares\n{yaml}\n")
    assert ruleset.rules[0].unless


# ------------------------------------------------------------------ parts of it


def test_too_few_texts_and_bad_shares() -> None:
    ruleset = RuleSet.from_yaml(PRESENT)
    with pytest.raises(InputError, match="20 texts, 1 of them different, are too few"):
        suggest(ruleset, ["the same 1"] * 20, ["Sports", "Money"] * 10)
    with pytest.raises(ParameterError, match=r"held_out=1\.5 is not a share"):
        suggest(ruleset, ["a"], ["Sports"], held_out=1.5)


def test_lift_is_what_adding_to_a_logit_does() -> None:
    logits = np.array([[0.3, -0.2, 1.0]])
    P = np.exp(logits) / np.exp(logits).sum()
    raised = np.exp(logits + np.array([0, 0.7, 0])) / np.exp(logits + np.array([0, 0.7, 0])).sum()
    assert lift(P, np.array([0]), 1, 0.7) == pytest.approx(raised)
    for label in (0, 1):
        change = likelihood_change(np.array([label == 1]), P[:, 1], 0.7)
        assert change[0] == pytest.approx(np.log(raised[0, label] / P[0, label]))


def test_best_weight_is_where_the_slope_vanishes() -> None:
    hit, p = np.array([True, True, True, False]), np.full(4, 0.3)
    w = best_weight(hit, p)

    def loss(w: float) -> float:
        return float(likelihood_change(hit, p, w).sum()) - w**2 / 2

    assert loss(w) > max(loss(w - 0.01), loss(w + 0.01))
    assert best_weight(~hit, np.full(4, 0.9)) == 0.0
    # The label is hardly expected: Newton's method would jump between its bounds.
    assert 3 < best_weight(np.arange(37) < 27, np.full(37, 0.02)) < 6


def test_greedy_takes_no_candidate_twice_and_no_copy_of_one() -> None:
    y, P = np.array([0] * 20 + [1] * 20), np.full((40, 2), 0.5)
    column = (y == 0).astype(float)
    R = scipy.sparse.csc_matrix(np.column_stack([column, column, y]))
    rows = Rows(y, P, R)
    taken = greedy(
        rows, rows, [0, 0, 1], [0, 1, 2], n=3, min_gain=0.1, is_new=lambda j, taken: not (j == 1 and 0 in taken)
    )
    assert taken[0] == 0
    assert 1 not in taken


def test_a_file_that_has_the_rules_already_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("rulenet: 1\nrules:\n  - {id: a, label: x, word: b}  # mine\n")
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"rules.yaml already has a rule called a, .*Nothing was written"):
        append_rules(path, [{"id": "a", "label": "x", "word": ["c"]}], like=RuleSet.load(path))
    assert path.read_bytes() == before

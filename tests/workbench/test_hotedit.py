"""Rules of a saved model edited: what becomes of each weight, what is refused, what is told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rulenet import Recipe, RuleNetClassifier, RuleSet
from rulenet.data.load import Dataset
from rulenet.errors import LabelError, ModelFileError, ParameterError, RuleFileError
from rulenet.store import write
from rulenet.workbench.hotedit import Edit, RuleEdit, apply_rules, redo, undo
from tests.store.folders import config_of, content, part, present

RULES = """rulenet: 1
language: en
labels: [Money, Sports]
lexicons:
  games: [cup, league]
rules:
  - {id: win, label: Sports, word: win}
  - {id: games, label: Sports, lexicon: games}
  - {id: oil, label: Money, word: oil, negation: {flip: Sports}}
  - {id: fixed, label: Money, word: tax, weight: 2, pin: true}
"""
TEXTS = ["win", "cup", "oil", "tax", "not oil", "win cup", "oil tax", "win oil"]
LABELS = ["Sports", "Sports", "Money", "Money", "Sports", "Sports", "Money", "Sports"]
DATA = Dataset(TEXTS * 6, LABELS * 6, "data.csv", list(range(48)))


def edited(*edits: tuple[str, str]) -> RuleSet:
    text = RULES
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return RuleSet.from_yaml(text, name="edited.yaml")


@pytest.fixture(scope="module")
def clf() -> RuleNetClassifier:
    return RuleNetClassifier(RuleSet.from_yaml(RULES), None, recipe=Recipe.of(tfidf=False)).fit(DATA.texts, DATA.labels)


@pytest.fixture
def folder(clf: RuleNetClassifier, tmp_path: Path) -> Path:
    clf.save(tmp_path / "model")
    return tmp_path / "model"


def learned(clf: RuleNetClassifier, i: int) -> float:
    """The weight of a rule for its label, in logits."""
    row = clf.predictor_.hybrid.phi_scale * clf.predictor_.hybrid.weights.coef[i]
    return float(row[np.abs(row).argmax()])


def by_id(edit: Edit) -> dict[str, RuleEdit]:
    return {rule.id: rule for rule in edit.rules}


def test_what_becomes_of_each_weight(clf: RuleNetClassifier, folder: Path) -> None:
    new = edited(
        ("word: win}", "word: [win, won]}"),
        ("word: tax, weight: 2", "word: tax, weight: 2.5"),
        ("  - {id: games, label: Sports, lexicon: games}\n", "  - {id: tie, label: Sports, word: tie, weight: 0.7}\n"),
    )
    edit = apply_rules(folder, new)
    win, games = learned(clf, 0), learned(clf, 1)
    assert win != 1.0  # else the next lines would show nothing
    assert by_id(edit) == {
        "win": RuleEdit("win", ("re-conditioned",), {"Sports": win}, {"Sports": win}, True),
        "tie": RuleEdit("tie", ("added",), None, {"Sports": 0.7}, False),
        "fixed": RuleEdit("fixed", ("re-weighted",), {"Money": 2.0}, {"Money": 2.5}, False),
        "games": RuleEdit("games", ("removed",), {"Sports": games}, None, False),
    }
    assert (edit.n_kept, edit.refit, edit.is_stale, edit.is_written) == (2, None, True, True)  # oil and oil.negated
    loaded, expected = RuleNetClassifier.load(folder), clf.with_rules(new)
    assert np.array_equal(loaded.predictor_.hybrid.weights.coef, expected.predictor_.hybrid.weights.coef)
    assert np.array_equal(loaded.predict_proba(TEXTS), expected.predict_proba(TEXTS))
    assert loaded.report_["refresh_calibration"] is True
    assert part(folder, "rules.yaml").read_text() == new.source


@pytest.mark.parametrize(
    ("old", "new", "id", "what"),
    [
        ("word: win}", "word: win, note: why}", None, ()),
        ("word: win}", "word: win, enabled: false}", "win", ("re-conditioned",)),
        ("word: win}", "word: win, sign: free}", "win", ("re-weighted",)),
        ("word: win}", "word: won, weight: 3}", "win", ("re-weighted", "re-conditioned")),
        ("label: Sports, word: win}", "label: Money, word: win}", "win", ("re-weighted",)),
        ("[cup, league]", "[cup]", "games", ("re-conditioned",)),
    ],
)
def test_kinds_of_edits(folder: Path, old: str, new: str, id: str | None, what: tuple[str, ...]) -> None:
    edit = apply_rules(folder, edited((old, new)), dry_run=True)
    assert {rule.id: rule.what for rule in edit.rules} == ({} if id is None else {id: what})
    assert [rule.is_learned for rule in edit.rules] == ([] if id is None else ["re-weighted" not in what])


def test_a_rule_that_flips_is_two_columns(folder: Path) -> None:
    edit = apply_rules(folder, edited(("word: oil,", "word: [oil, gas],")), dry_run=True)
    assert [(rule.id, rule.what) for rule in edit.rules] == [
        ("oil", ("re-conditioned",)),
        ("oil.negated", ("re-conditioned",)),
    ]


def test_a_sample_shows_what_flips_and_why(folder: Path) -> None:
    sample = Dataset(TEXTS, LABELS, "sample.csv", list(range(8)))
    edit = apply_rules(folder, edited(("word: win}", "word: win, weight: 0.01, pin: true}")), sample=sample)
    flips = edit.diff.flips
    assert flips is not None
    assert flips.accuracy == (1.0, 7 / 8)
    [answer] = flips.answers
    assert (answer.text, answer.before, answer.after, answer.verdict) == ("win oil", "Sports", "Money", "broken")
    assert [(reason.name, reason.spans) for reason in answer.reasons] == [("win", [(0, 3)])]
    assert answer.reasons[0].after == pytest.approx(-0.01)  # for Money against Sports
    told = str(edit)
    assert "~ Sports → Money (broken): win oil" in told
    assert "accuracy 100.00% → 87.50% (-12.50 points)" in told
    assert "1 broken" in told
    plain_sample = apply_rules(
        folder, edited(("word: win}", "word: win, weight: 0.01, pin: true}")), sample=TEXTS, dry_run=True
    )
    assert plain_sample.diff.flips is not None
    assert plain_sample.diff.flips.accuracy is None


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    before = content(folder)
    edit = apply_rules(folder, edited(("word: win}", "word: win, weight: 3}")), dry_run=True)
    assert not edit.is_written
    assert content(folder) == before


def test_the_same_rules_are_not_written_but_a_new_comment_is(folder: Path) -> None:
    before = content(folder)
    edit = apply_rules(folder, RuleSet.from_yaml(RULES))
    assert (edit.is_written, edit.rules, edit.n_kept, edit.diff.is_same) == (False, [], 5, True)
    assert content(folder) == before
    assert apply_rules(folder, edited(("rules:\n", "rules:  # all\n"))).is_written
    assert "# all" in part(folder, "rules.yaml").read_text()


def test_an_edit_is_written_down(folder: Path) -> None:
    new = edited(("word: win}", "word: win, weight: 3}"))
    apply_rules(folder, new)
    apply_rules(folder, RuleSet.from_yaml(RULES))
    first, second = RuleNetClassifier.load(folder).report_["edits"]
    assert (first["rules"], first["sha256"]) == ("edited.yaml", new.fingerprint)
    assert second["rules"] == "<string>"


def test_undo_and_redo_tell_what_changes(clf: RuleNetClassifier, folder: Path) -> None:
    apply_rules(folder, edited(("word: win}", "word: [win, won]}")))
    assert list(undo(folder).lines())[-1] == "    word: − won"
    assert np.array_equal(RuleNetClassifier.load(folder).decision_function(TEXTS), clf.decision_function(TEXTS))
    assert list(redo(folder).lines())[-1] == "    word: + won"


def test_a_model_without_rules_gets_some_and_loses_them(clf: RuleNetClassifier, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    RuleNetClassifier(None, None, recipe=Recipe.of(nb=False)).fit(TEXTS, LABELS).save(folder)
    edit = apply_rules(folder, RuleSet.from_yaml(RULES), sample=["won"])
    assert [(rule.what, rule.before) for rule in edit.rules] == [(("added",), None)] * 5
    assert RuleNetClassifier.load(folder).rules == RuleSet.from_yaml(RULES)
    assert [rule.id for rule in undo(folder).removed] == ["win", "games", "oil", "fixed"]
    assert RuleNetClassifier.load(folder).rules is None
    assert apply_rules(folder, None, refit="phi", data=DATA).is_written
    assert RuleNetClassifier.load(folder).report_["edits"][0]["rules"] is None
    assert "rules.yaml" not in config_of(folder)["parts"]


# φ solved again


def test_refit_solves_phi_and_nothing_else(clf: RuleNetClassifier, folder: Path) -> None:
    vocabulary = part(folder, "vocabulary.json").read_bytes()
    edit = apply_rules(folder, None, refit="phi", data=DATA)
    again = RuleNetClassifier.load(folder)
    # The same texts and rules: the same solution
    assert np.allclose(again.predictor_.hybrid.weights.coef, clf.predictor_.hybrid.weights.coef, atol=1e-6)
    assert (edit.refit, edit.is_written, edit.is_stale) == (48, True, True)
    assert part(folder, "vocabulary.json").read_bytes() == vocabulary
    turned = Dataset(
        DATA.texts, ["Money" if label == "Sports" else "Sports" for label in LABELS * 6], "turned.csv", DATA.rows
    )
    edit = apply_rules(folder, None, refit="phi", data=turned)
    now = by_id(edit)
    assert now["win"].what == ()
    assert now["win"].is_learned
    assert now["win"].after is not None
    assert now["win"].after["Sports"] < 0.5  # pulled down as far as `sign: for` lets it
    assert "fixed" not in now  # pinned
    assert RuleNetClassifier.load(folder).predictor_.hybrid.weights.coef[0].min() >= 0
    undo(folder)
    undo(folder)
    assert np.array_equal(
        RuleNetClassifier.load(folder).predictor_.hybrid.weights.coef, clf.predictor_.hybrid.weights.coef
    )


def test_refit_is_what_fit_does_with_terms(tmp_path: Path) -> None:
    texts, labels = TEXTS * 130, LABELS * 130
    clf = RuleNetClassifier(RuleSet.from_yaml(RULES), None, recipe=Recipe.of(C=10.0, nb=True)).fit(texts, labels)
    clf.save(tmp_path / "model")
    apply_rules(tmp_path / "model", None, refit="phi", data=Dataset(texts, labels, "d", list(range(len(texts)))))
    assert np.allclose(
        RuleNetClassifier.load(tmp_path / "model").predictor_.hybrid.weights.coef,
        clf.predictor_.hybrid.weights.coef,
        atol=1e-3,
    )


@pytest.mark.slow
def test_refit_keeps_the_transformer(tiny_encoder: str, tmp_path: Path) -> None:
    clf = RuleNetClassifier(
        RuleSet.from_yaml(RULES), tiny_encoder, recipe=Recipe.of(epochs=1, max_length=16, exit_margin=1.0)
    )
    clf.fit(DATA.texts, DATA.labels).save(tmp_path / "model")
    before = present(tmp_path / "model")
    edit = apply_rules(
        tmp_path / "model", edited(("word: win}", "word: [win, won]}")), refit="phi", data=DATA, sample=DATA
    )
    after = present(tmp_path / "model")
    same = {name for name in before if after[name] == before[name]}
    assert same == set(before) - {"config.json", "rules.yaml", "phi.safetensors"}
    again = RuleNetClassifier.load(tmp_path / "model").predictor_.hybrid
    assert (again.phi_scale, again.psi_scale) == (clf.predictor_.hybrid.phi_scale, clf.predictor_.hybrid.psi_scale)
    assert again.held_out is not None
    assert again.held_out.is_stale
    assert "the transformer and its scale are unchanged" in str(edit)


# What is refused, with nothing written


@pytest.mark.parametrize(
    ("rules", "options", "error", "message"),
    [
        (edited(("label: Sports, word: win", "label: Spots, word: win"), ("Sports]", "Spots, Sports]")), {}, LabelError,
         r"label 'Spots' of edited\.yaml \(used by rule 'win'\) is not in the data \(did you mean 'Sports'\?\)"),
        (RuleSet.from_yaml(RULES.replace("language: en", "language: zh"), name="zh.yaml"), {}, ParameterError,
         r"^zh\.yaml is written for 'zh', but the model reads 'en'"),
        ("no-such.yaml", {}, RuleFileError, r"no-such\.yaml: no such file"),
        (edited(), {"refit": "psi", "data": DATA}, ParameterError, r"^refit='psi' is not known; the only choice is 'phi'$"),
        (edited(), {"refit": "phi"}, ParameterError, r"refit='phi' needs labelled texts"),
        (edited(), {"data": DATA}, ParameterError, r"give both or neither"),
        (None, {}, ParameterError, r"without refit='phi' there is nothing to do"),
        (edited(), {"refit": "phi", "data": Dataset(["a"], None, "x.csv", [1])}, LabelError, r"^x\.csv has no labels to learn from"),
        (edited(), {"refit": "phi", "data": Dataset(["a"], ["Sports"], "x.csv", [1])}, LabelError,
         r"^x\.csv has no text with the label 'Money', so φ would unlearn it"),
        (edited(), {"refit": "phi", "data": Dataset(["a"], ["Arts"], "x.csv", [1])}, LabelError, r"does not know: 'Arts'"),
        (edited(), {"sample": Dataset(["a"], ["Arts"], "x.csv", [1])}, LabelError, r"x\.csv has labels .* 'Arts'"),
    ],
)  # fmt: skip
def test_mistakes_are_refused(
    folder: Path, rules: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    before = content(folder)
    with pytest.raises(error, match=message):
        apply_rules(folder, rules, **options)
    assert content(folder) == before
    assert os.listdir(folder.parent) == ["model"]


def test_a_faulty_file_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "faulty.yaml").write_text(RULES.replace("word: win", "wrd: win"))
    before = content(folder)
    with pytest.raises(RuleFileError, match=r"faulty\.yaml:7: rule 'win': unknown field 'wrd'"):
        apply_rules(folder, tmp_path / "faulty.yaml")
    assert content(folder) == before


def test_the_second_of_two_edits_at_once_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process edits the model while this one makes its report."""
    real, other = write.save_edit, edited(("word: win}", "word: win, weight: 4}"))

    def save_edit(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(write, "save_edit", real)
        apply_rules(folder, other)
        real(*args, **kwargs)

    monkeypatch.setattr(write, "save_edit", save_edit)
    with pytest.raises(ModelFileError, match=r"was changed by someone else; nothing was written"):
        apply_rules(folder, edited(("word: win}", "word: win, weight: 3}")))
    assert RuleNetClassifier.load(folder).rules == other


def test_plain_data_survives_json(folder: Path) -> None:
    edit = apply_rules(folder, edited(("word: win}", "word: win, weight: 0.01, pin: true}")), sample=DATA)
    data = edit.to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["rules"][0]["what"] == ["re-weighted"]
    assert data["diff"]["flips"]["accuracy"]["before"] == 1.0


# Sharing what is compiled


def test_an_edited_set_takes_over_what_is_compiled(clf: RuleNetClassifier) -> None:
    old = clf.predictor_.hybrid.features.ruleset
    assert old is not None
    old.match(TEXTS)
    same, relisted = edited(("word: win}", "word: [win, won]}")), edited(("[cup, league]", "[cup, bowl]"))
    for new in (same, relisted):
        clf.with_rules(new)
    shared = [a is b for a, b in zip(same.conditions, old.conditions, strict=True)]
    assert shared == [False, True, True, True, True]
    shared = [a is b for a, b in zip(relisted.conditions, old.conditions, strict=True)]
    assert shared == [True, False, True, True, True]
    for new in (same, relisted):
        fresh = RuleSet.from_yaml(new.source)
        texts = [*TEXTS, "won", "bowl", "league"]
        assert (new.match(texts) != fresh.match(texts)).nnz == 0


def test_a_chain_of_edits_keeps_only_the_set_that_is_compiled(clf: RuleNetClassifier) -> None:
    old = clf.predictor_.hybrid.features.ruleset
    assert old is not None
    old.match(TEXTS)
    last = clf
    for i in range(3):
        last = last.with_rules(edited(("word: win}", f"word: [win, won{i}]}}")))
    rules = last.predictor_.hybrid.features.ruleset
    assert rules is not None
    assert rules._like is old
    assert rules.conditions[1] is old.conditions[1]
    assert rules._like is None

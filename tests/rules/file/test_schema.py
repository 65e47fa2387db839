"""rulenet.rules.file.schema: the fields of a rule file and their JSON Schema, which editors read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from rulenet.rules.file import condition
from rulenet.rules.file import schema as module
from rulenet.rules.file.condition import KIND_FIELDS, OPTIONS, WrittenCondition
from rulenet.rules.file.schema import Rule, json_schema
from rulenet.rules.ruleset import RuleSet

MODELS: dict[str, type[BaseModel]] = {
    name: model
    for name, model in (vars(condition) | vars(module)).items()
    if isinstance(model, type) and issubclass(model, BaseModel) and name not in ("BaseModel", "Strict")
}


def objects(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return schema["$defs"] | {"RuleFile": schema}


@pytest.mark.parametrize("name", MODELS)
def test_schema_has_the_fields_of_the_model_each_described(name: str) -> None:
    part = objects(json_schema())[name]
    assert list(part["properties"]) == list(MODELS[name].model_fields)
    for field, about in part["properties"].items():
        assert about.get("description"), field
    assert part["additionalProperties"] is False
    assert part["description"]


def test_schema_leaves_no_model_out() -> None:
    assert set(objects(json_schema())) == set(MODELS)


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_schema_is_json_and_its_references_lead_somewhere() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(references(schema)) == {f"#/$defs/{name}" for name in set(MODELS) - {"RuleFile"}}


def test_schema_asks_for_what_the_model_asks_for() -> None:
    schema = json_schema()
    assert schema["required"] == ["rulenet"]  # the rules may stand in an included file
    assert schema["$defs"]["Rule"]["required"] == ["id"]
    assert schema["$defs"]["Rule"]["anyOf"] == [{"required": ["label"]}, {"required": ["labels"]}]
    assert schema["properties"]["rulenet"]["enum"] == [1, "1"]
    assert schema["properties"]["language"]["enum"] == ["en", "zh", "any"]


def test_an_editor_does_not_mark_texts_that_look_like_numbers() -> None:
    text = {"type": ["string", "number", "boolean"]}
    schema = json_schema()
    rule = schema["$defs"]["Rule"]["properties"]
    assert rule["label"]["anyOf"][0] == text
    assert rule["id"]["type"] == text["type"]
    assert rule["word"]["anyOf"][:2] == [text, {"type": "array", "minItems": 1, "items": text}]
    assert schema["properties"]["labels"]["items"] == text
    assert schema["properties"]["lexicons"]["additionalProperties"]["items"]["oneOf"][0] == text


def test_kinds_are_fields_of_a_condition() -> None:
    assert [*KIND_FIELDS, *OPTIONS, "field"] == list(WrittenCondition.model_fields)


@pytest.mark.parametrize(
    ("fields", "prior"),
    [
        ("", 1.0),
        ("sign: against", -1.0),
        ("sign: free", 1.0),
        ("weight: 1.5", 1.5),
        ("weight: 0", 0.0),
        ("weight: 20", 20.0),
        ("weight: -20, sign: against", -20.0),
        ("weight: -2, sign: free", -2.0),
        ("weight: 0, sign: against", 0.0),
        ("confidence: 0.5", 0.0),
        ("confidence: 0.9", 2.1972245773362196),  # log 9
        ("confidence: 0.1, sign: against", -2.1972245773362196),
        ("confidence: 0.2, sign: free", -1.3862943611198906),  # -log 4
    ],
)
def test_prior(fields: str, prior: float) -> None:
    rule = RuleSet.from_yaml(f"rulenet: 1\nrules:\n- {{id: a, label: x, word: w, {fields}}}").rules[0]
    assert rule.evidence == {"x": pytest.approx(prior, abs=1e-12)}


def test_defaults() -> None:
    rule = RuleSet.from_yaml("rulenet: 1\nrules:\n- {id: a, label: x, word: w}").rules[0]
    assert (rule.kind, rule.word) == ("word", ["w"])
    assert (rule.sign, rule.pin, rule.negation, rule.where) == ("for", False, "ignore", "anywhere")
    assert (rule.unless, rule.examples.match, rule.examples.reject, rule.note) == ([], [], [], "")


@pytest.mark.parametrize(("written", "pin"), [("true", True), ("yes", True), ("false", False), ("no", False)])
def test_pin(written: str, pin: bool) -> None:
    rule = RuleSet.from_yaml(f"rulenet: 1\nrules:\n- {{id: a, label: x, word: w, pin: {written}}}").rules[0]
    assert rule.pin is pin


def test_adding_a_field_is_refused_on_models_too() -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        Rule(id="a", label="x", word=["w"], wieght=2)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="frozen"):
        Rule(id="a", label="x", word=["w"]).pin = True


def test_the_shipped_schema_is_the_current_one(repository: Path) -> None:
    shipped = json.loads((repository / "rulenet" / "rulenet.schema.json").read_text(encoding="utf-8"))
    assert shipped == json_schema(), "run: rulenet rules schema > rulenet/rulenet.schema.json"

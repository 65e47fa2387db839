"""Random rule files in random layouts with random comments. Each comment says what it stands beside."""

from __future__ import annotations

import json
from random import Random

WORDS = [
    "win",
    "no",
    "007",
    "1.10",
    "2026-01-01",
    "grand slam",
    "退款",
    "it's",
    'say "a"',
    "a: b",
    "x #y",
    "C++",
    "a, b",
    "null",
    "yes?",
]


def condition(random: Random, depth: int = 0) -> dict[str, object]:
    kind = random.choice(["word", "phrase", "regex", "near", "any", "none"] if depth < 2 else ["word", "regex"])
    if kind in ("any", "none"):
        return {kind: [condition(random, depth + 1) for _ in range(random.randint(1, 2))]}
    if kind == "near":
        return {"near": {"within": "3", "terms": ["a", condition(random, 2)]}}
    words = random.choices(WORDS, k=random.randint(1, 3))
    return {kind: random.choice([words, words[0]])}


def shuffled(random: Random, data: dict[str, object]) -> dict[str, object]:
    return {key: data[key] for key in random.sample(list(data), len(data))}


def rule_file(random: Random) -> dict[str, object]:
    rules = []
    for i in range(random.randint(1, 3)):
        rule: dict[str, object] = {"id": f"r{i}", "label": "A", **condition(random)}
        more: dict[str, object] = {
            "examples": {
                "reject": [random.choice(WORDS)],
                "match": [random.choice(WORDS), {"title": random.choice(WORDS)}],
            },
            "unless": [condition(random, 1)],
            "note": random.choice(WORDS),
        }
        rules.append(shuffled(random, rule | {key: more[key] for key in more if random.random() < 0.5}))
    data: dict[str, object] = {"rulenet": "1", "rules": rules}
    if random.random() < 0.5:
        data["lexicons"] = {"l": random.choices(WORDS, k=random.randint(1, 4)), "k": ["a", {"lexicon": "l"}]}
    return shuffled(random, data)


class Scribe:
    """Writes data as YAML in a random layout with random comments, each of which names what it stands beside."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.count = 0

    def comment(self, path: str, often: int = 4) -> str:
        if self.random.randint(0, often):
            return ""
        self.count += 1
        return f"# {self.count} @{path}@"

    def above(self, path: str, indent: int) -> list[str]:
        lines = [""] * self.random.choice([0, 0, 0, 1, 2])
        while comment := self.comment(path):
            lines.append(" " * self.random.choice([0, indent]) + comment)
        return lines

    def beside(self, path: str) -> str:
        comment = self.comment(path)
        return f"  {comment}" if comment else ""

    def scalar(self, text: str) -> str:
        ways = ["'" + text.replace("'", "''") + "'", json.dumps(text, ensure_ascii=False)]
        if text.replace(".", "").replace("-", "").isalnum() and text != "null":
            ways.append(text)
        return self.random.choice(ways)

    def flow(self, value: object, path: str, pad: str) -> str:
        """Brackets, with line breaks and comments inside."""
        if isinstance(value, str):
            return self.scalar(value)
        pairs = value.items() if isinstance(value, dict) else enumerate(value)  # type: ignore[arg-type]
        text = "{" if isinstance(value, dict) else "["
        for i, (key, item) in enumerate(pairs):
            comment = self.comment(f"{path}/{key}", 8)
            text += f"\n{pad}{comment}\n{pad}" if comment else self.random.choice(["", " ", f"\n{pad}"])
            text += (f"{key}: " if isinstance(value, dict) else "") + self.flow(item, f"{path}/{key}", pad)
            if i < len(value) - 1:  # type: ignore[arg-type]
                text += ","
                comment = self.comment(f"{path}/{key}", 8)
                text += f" {comment}\n{pad}" if comment else ""
        comment = self.comment(path, 8)
        return text + (f" {comment}\n{pad}" if comment else "") + ("}" if isinstance(value, dict) else "]")

    def block(self, value: object, path: str, indent: int) -> list[str]:
        lines: list[str] = []
        pad = " " * indent
        pairs = list(value.items() if isinstance(value, dict) else enumerate(value))  # type: ignore[call-overload]
        for key, item in pairs:
            here = f"{path}/{key}"
            lines += self.above(here, indent)
            label = f"{key}:" if isinstance(value, dict) else "-"
            if isinstance(item, str) or self.random.randint(0, 2) == 0:
                written = self.flow(item, here, pad + "    ")
                comment = self.comment(here)
                if comment and isinstance(value, dict):
                    lines += [f"{pad}{label}  {comment}", *self.above(here, indent + 2), f"{pad}   {written}"]
                else:
                    lines.append(f"{pad}{label} {written}{self.beside(here)}")
                continue
            step = self.random.choice([2, 3, 4])
            inner = self.block(item, here, indent + step)
            if (
                not isinstance(value, dict)
                and not inner[0].lstrip().startswith("#")
                and inner[0]
                and self.random.random() < 0.5
            ):
                inner[0] = f"{pad}-{' ' * (step - 1)}{inner[0].lstrip()}"
            else:
                inner.insert(0, f"{pad}{label}{self.beside(here)}")
            lines += inner
        if pairs and self.random.randint(0, 4) == 0:
            lines.append(pad + f"# {self.count} end @{path}@")
            self.count += 1
        return lines

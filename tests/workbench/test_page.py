"""rulenet.workbench.page: what is on the page of statistics; it is whole, escaped, without anything from outside."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from rulenet import RuleSet
from rulenet.base.drawing import Grid, Prose, plain
from rulenet.workbench.drift import Baseline, Tally, compare
from rulenet.workbench.page import heat_map, to_html
from rulenet.workbench.stats import RulesetStats, rule_stats

VOID = {"meta", "input"}
EVIL = """rulenet: 1
rules:
  - {id: "<script>alert(1)</script>", label: "A&B\\"", word: win}
  - {id: oil price, label: Money, phrase: oil}
"""


class Reader(HTMLParser):
    """Checks that tags are balanced; collects ids, links and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif name == "src":
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def evil() -> RulesetStats:
    texts = ["<b>win</b> oil", "oil & <img src=x onerror=alert(1)>", "win \u202e"]
    return rule_stats(RuleSet.from_yaml(EVIL), texts, ['A&B"', "Money", 'A&B"'])


def test_everything_is_escaped(evil: RulesetStats) -> None:
    page = to_html(evil)
    read(page)
    assert "alert(1)</script>" not in page
    assert "<img" not in page
    assert "<b>win" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert page.count("<script>") == 1  # ours


def test_every_link_leads_to_a_rule_on_the_page_and_none_outside(evil: RulesetStats) -> None:
    reader = read(to_html(evil))
    assert len(set(reader.ids)) == len(reader.ids) == 2
    assert {link.removeprefix("#") for link in reader.links} == set(reader.ids)
    assert reader.addresses == []
    assert not re.search(r"https?://|url\(|@import", to_html(evil))


def test_hits_are_marked_and_firings_judged(evil: RulesetStats) -> None:
    page = to_html(evil)
    assert "&lt;b&gt;<mark>win</mark>&lt;/b&gt; oil" in page
    assert (
        '<p class="text wrong">&lt;b&gt;win&lt;/b&gt; <mark>oil</mark><span class="note"> — A&amp;B&#34;: wrong</span></p>'
        in page
    )


def test_the_table_sorts_by_numbers(evil: RulesetStats) -> None:
    page = to_html(evil)
    assert '<td class="n" data-name="fires" data-v="2" style="--b:1.000">2</td>' in page
    # oil is right once of two times
    assert '<td class="n" data-name="right" data-v="0.5" style="--b:0.500">50% [9–91]</td>' in page


def ruleset_in_conflict(n: int) -> RulesetStats:
    """Two labels with n rules each; rule i of either fires on text i."""
    rules = [f"  - {{id: {label}{i}, label: {label}, word: w{i}}}" for label in "AB" for i in range(n)]
    return rule_stats(
        RuleSet.from_yaml("rulenet: 1\nrules:\n" + "\n".join(rules)), [f"w{i}" for i in range(n)], ["A", "B"] * (n // 2)
    )


def drawn(stats: RulesetStats) -> tuple[str, Grid]:
    """Legend and grid of the heat map."""
    legend, grid = heat_map(stats)
    assert isinstance(legend, Prose)
    assert isinstance(grid, Grid)
    return plain(legend.line), grid


def test_a_heat_map_of_all_disputed_rules() -> None:
    legend, grid = drawn(ruleset_in_conflict(2))
    assert "all 4 rules that are disputed" in legend
    assert [name for name, _ in grid.names] == ["A0", "A1", "B0", "B1"]
    places = [(square.row, square.column, square.darkness) for square in grid.squares]
    assert places == [(0, 2, 1), (2, 0, 1), (1, 3, 1), (3, 1, 1)]  # two pairs seen from both sides
    assert [square.text for square in grid.squares] == ["100"] * 4
    assert [name for name, _ in grid.scale] == ["1%", "10%", "20%", "30%", "40%", "50% and more"]
    assert [square.hint for square in grid.squares[:2]] == [
        "A0 fires on 1 text; on 1 of them (100%) B0 fires too; there A0 is right on 1, B0 on 0",
        "B0 fires on 1 text; on 1 of them (100%) A0 fires too; there B0 is right on 0, A0 on 1",
    ]


def test_a_heat_map_says_which_rules_it_leaves_out() -> None:
    stats = ruleset_in_conflict(30)
    legend, grid = drawn(stats)
    assert "the 40 rules with most disputed firings, of 60 that are disputed" in legend
    assert len(grid.names) == 40
    assert "30 pairs of rules fire on the same text though they cannot both be right." in to_html(stats)


def test_rules_without_conflict_have_no_heat_map() -> None:
    page = to_html(rule_stats(RuleSet.from_yaml(EVIL), ["win", "oil"]))
    assert "<svg" not in page
    assert "No two rules that cannot both be right" in page
    assert "Note: some or all labels are missing" in page


def test_drift_is_on_the_page() -> None:
    stats = rule_stats(RuleSet.from_yaml(EVIL), ["win"] * 100)
    page = to_html(stats, compare(stats, Baseline(texts=100, rules={"oil price": Tally(fired=50)})))
    read(page)
    found = re.sub(' data-name=".*?"', "", page)
    assert '<td>oil price</td><td><span class="flag">died</span></td><td class="n">50.00% → 0.00%</td>' in found
    same = compare(stats, Baseline(texts=100, rules={"oil price": Tally(fired=0)}))
    assert "No rule has drifted." in to_html(stats, same)

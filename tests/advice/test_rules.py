"""The rules as they are documented."""

from __future__ import annotations

import re

import pytest

from lamina.advice.catalogue import RULES, documentation_of, rule_names
from lamina.advice.finding import Rule
from lamina.reports.rules import rules_markdown, rules_text
from make_rules import PAGE


def test_the_page_is_what_the_rules_say_of_themselves() -> None:
    assert PAGE.read_text(encoding="utf-8") == rules_markdown(), "python tests/make_rules.py writes it again"


def test_no_two_rules_have_a_name() -> None:
    assert len(set(rule_names())) == len(RULES)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in rule_names())


@pytest.mark.parametrize("rule", RULES, ids=rule_names())
def test_each_rule_says_what_it_finds_and_what_to_do(rule: type[Rule]) -> None:
    first, more = documentation_of(rule)

    assert rule.__doc__ != Rule.__doc__
    assert 10 < len(first) <= 90
    assert first.endswith(".")
    assert len(more) > 60


def test_the_table_has_a_line_for_each() -> None:
    lines = rules_text().splitlines()

    assert [line.split()[0] for line in lines[1:]] == list(rule_names())
    assert max(map(len, lines)) <= 120

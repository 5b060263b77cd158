"""Rendering: what a person gets of a template."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as some

from wafast.outbox.render import check, render

LEAD = {"name": "Aisyah", "phone": "+60123456789", "Company ": "Maju", "city": ""}
words = some.text(some.characters(blacklist_characters="{}|", blacklist_categories=["Cs"]), max_size=40)
anything = some.text(some.characters(blacklist_categories=["Cs"]), max_size=80)


def said(template: str, lead: dict[str, str] | None = None, seed: int = 1, local_hour: int = 9) -> str:
    return render(template, LEAD if lead is None else lead, seed=seed, local_hour=local_hour)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("Hi {name}!", "Hi Aisyah!"),
        ("Hi {name|friend}!", "Hi Aisyah!"),
        ("Hi { NAME }, of {company}", "Hi Aisyah, of Maju"),
        ("in {city|your town}", "in your town"),
        ("in {city}.", "in ."),
        ("{nobody} {nobody|somebody} {nobody|}.", "{nobody} somebody ."),
        ("{greeting}, {name}", "Good morning, Aisyah"),
        ("{salam}", "Selamat pagi"),
        ("{} {{}} {{name}} { { } } {a", "{} {{}} {{name}} { { } } {a"),
        ("{{only {name}}}", "{{only {name}}}"),
        ("RM 5 {{a|a}} https://x.my/?q={{b|b}}\n\n👨‍👩‍👧 \t1,000", "RM 5 a https://x.my/?q=b\n\n👨‍👩‍👧 \t1,000"),
        ("{{{name|x}|{name|y}}}", "Aisyah"),
    ],
)
def test_what_a_template_says(template: str, words: str) -> None:
    assert said(template) == words


def test_a_person_without_a_name_gets_the_fallback_or_nothing() -> None:
    assert said("Hi {name|friend}", {"name": ""}) == "Hi friend"
    assert said("Hi {name}", {}) == "Hi "


@given(words)
def test_what_names_nothing_stays_byte_for_byte(text: str) -> None:
    assert said(text) == text


@given(words, words, words)
def test_only_the_field_changes(before: str, after: str, name: str) -> None:
    assert said(f"{before}{{name}}{after}", {"name": name}) == before + name + after


@given(anything)
def test_what_a_field_holds_is_never_a_template(name: str) -> None:
    assert said("{name|x}{{{name|x}|{name|x}}}", {"name": name}) == (name or "x") * 2


@given(some.lists(words, min_size=2, max_size=5), some.integers())
def test_choices_give_one_of_them_and_the_same_for_a_seed(choices: list[str], seed: int) -> None:
    template = "{{" + "|".join(choices) + "}}"
    assert said(template, seed=seed) in choices
    assert said(template, seed=seed) == said(template, seed=seed)


@given(anything, some.dictionaries(some.text(max_size=5), anything, max_size=3), some.integers(0, 23))
def test_any_template_renders_and_is_checked(template: str, lead: dict[str, str], hour: int) -> None:
    render(template, lead, seed=3, local_hour=hour)
    assert all(doubt.words for doubt in check(template))


def test_choices_come_up_equally_often() -> None:
    seen = Counter(said("{{a|b|c}}", seed=seed) for seed in range(3_000))
    assert all(900 < seen[choice] < 1_100 for choice in "abc")


@pytest.mark.parametrize(
    ("hour", "greeting"), [(4, "evening"), (5, "morning"), (11, "morning"), (12, "afternoon"), (18, "evening")]
)
def test_the_greeting_is_of_the_hour_where_the_person_lives(hour: int, greeting: str) -> None:
    assert said("{greeting}", local_hour=hour) == f"Good {greeting}"


def test_a_check_names_what_is_likely_not_meant_so() -> None:
    assert check("{greeting} {name|friend}, {{hi|hello {company|there}}} https://x.my") == []
    for template, named, kind, values in (
        ("{{name}}", "{{name}}", "no_bar", {"text": "{{name}}"}),
        ("{city}", "'city'", "no_fallback", {"field": "city"}),
        ("{name}", "no name", "no_name", {"field": "name"}),
        ("{{a|{{b|c}}}}", "choices of their own", "choice_open", {}),
        ("a } b", "other half", "brace_alone", {}),
    ):
        found = next(doubt for doubt in check(template) if named in doubt.words)
        assert (found.kind, found.values) == (kind, values), template

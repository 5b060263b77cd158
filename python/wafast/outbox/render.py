"""From a template to the words one person gets. Pure: the same template, person, seed and hour give the same words.

`{name}` is a field of the person, `{name|friend}` says what stands there for who has none. `{{Hi|Hello|Good day}}` is
one of its choices; choices may hold fields, but no choices of their own. `{greeting}` (English) and `{salam}` (Malay)
greet by the hour it is where the person lives. Everything else stays as it was written, byte for byte: braces that mean
nothing here, lines, addresses, digits, emojis. What a field holds is never read as a template.
"""

from __future__ import annotations

import random
import re
import zlib
from typing import TYPE_CHECKING, Literal, NamedTuple

from wafast.visible import is_visible

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What of a template is likely not meant so.
DoubtKind = Literal["no_bar", "no_fallback", "no_name", "choice_open", "brace_alone"]


class Doubt(NamedTuple):
    """One of these: in plain words, and as a word for programs with what it names."""

    kind: DoubtKind
    words: str
    values: dict[str, str]


#: Characters of a message. WhatsApp cuts the connection of who sends some millions.
LONGEST = 65_536
#: Fields that every person has, and those that are no person's.
OF_PERSON = frozenset({"name", "phone"})
GREETINGS: dict[str, tuple[tuple[int, str], ...]] = {
    # from this hour on; before the first of them it is still the evening
    "greeting": ((5, "Good morning"), (12, "Good afternoon"), (18, "Good evening")),
    "salam": ((5, "Selamat pagi"), (12, "Selamat tengah hari"), (14, "Selamat petang"), (19, "Selamat malam")),
}
FIELD = re.compile(r"\{([^{}|]+)(?:\|([^{}]*))?\}")
CHOICES = r"\{\{((?:[^{}]|\{[^{}]*\})*)\}\}"
PLACE = re.compile(rf"{CHOICES}|{FIELD.pattern}")
#: A bar between two choices, and not one within a field.
BAR = re.compile(r"\|(?![^{}]*\})")


def render(template: str, lead: Mapping[str, str], *, seed: int, local_hour: int) -> str:
    """The words of a template for a person.

    Args:
        template: as a person wrote it.
        lead: what is known of the person: `name`, `phone` and custom fields. Their names compare without regard to case
            and to blanks around them; an empty text is as good as none.
        seed: decides between choices: `seed_of`.
        local_hour: 0 to 23, where the person lives.
    """
    known = {_key(name): text for name, text in lead.items()}
    chance = random.Random(seed) if "{{" in template else None

    def field(found: re.Match[str], name: str, fallback: str | None) -> str:
        greeting = GREETINGS.get(_key(name))
        text = known.get(_key(name)) if greeting is None else _greet(greeting, local_hour)
        if text:
            return text
        if fallback is not None:
            return fallback
        return found[0] if text is None and _key(name) not in OF_PERSON else ""

    def place(found: re.Match[str]) -> str:
        if found[1] is None:
            return field(found, found[2], found[3])
        choices = BAR.split(found[1])
        if chance is None or len(choices) == 1:
            return found[0]
        chosen = choices[int(chance.random() * len(choices))]
        return FIELD.sub(lambda inner: field(inner, inner[1], inner[2]), chosen)

    return PLACE.sub(place, template)


def fault(words: str, *, is_text: bool) -> str | None:
    """Why words that were rendered can't be sent; None when they can. `is_text`: and not the caption of a file."""
    if is_text and not is_visible(words):
        return "no words are left once the fields of this person are filled in"
    if len(words) > LONGEST:
        return (
            f"with the fields of this person filled in it has {len(words)} characters; a message has at most {LONGEST}"
        )
    return None


def seed_of(template: str, lead_id: int) -> int:
    """What decides between choices: of the words and the person, so that a preview shows what will be sent, and a row
    tried again says the same."""
    return lead_id << 32 | zlib.crc32(template.encode())


def check(template: str) -> list[Doubt]:
    """What is likely not meant so; empty when all is well."""
    problems: list[Doubt] = []

    def doubt(kind: DoubtKind, words: str, **values: str) -> None:
        problems.append(Doubt(kind, words, values))

    fields: list[tuple[str, str | None]] = []
    rest = ""
    end = 0
    for found in PLACE.finditer(template):
        rest, end = rest + template[end : found.start()], found.end()
        if found[1] is None:
            fields.append((found[2], found[3]))
        elif len(BAR.split(found[1])) == 1:
            doubt(
                "no_bar",
                f"{found[0]} is sent as it stands: a field has one brace, {{name}}, and choices a bar, {{{{a|b}}}}.",
                text=found[0],
            )
        else:
            fields += [(inner[1], inner[2]) for inner in FIELD.finditer(found[1])]
    for name, fallback in dict.fromkeys(fields):
        if fallback is None and _key(name) not in OF_PERSON and _key(name) not in GREETINGS:
            doubt(
                "no_fallback",
                f"Who has no {name.strip()!r} gets {{{name}}} as it stands; {{{name}|…}} says what instead.",
                field=name,
            )
        if fallback is None and _key(name) == "name":
            doubt(
                "no_name",
                f"Who has no name gets nothing in the place of {{{name}}}; {{{name}|friend}} says what instead.",
                field=name,
            )
    rest += template[end:]
    if "{{" in rest:
        doubt("choice_open", "{{ without its }} is sent as it stands; choices can't hold choices of their own.")
    elif "{" in rest or "}" in rest:
        doubt("brace_alone", "A brace without its other half is sent as it stands.")
    return problems


def _key(name: str) -> str:
    return name.strip().casefold()


def _greet(greeting: tuple[tuple[int, str], ...], hour: int) -> str:
    return next((words for since, words in reversed(greeting) if hour >= since), greeting[-1][1])

"""Phone numbers: from how people write them to E.164, to JIDs and to time zones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Literal

import phonenumbers
from phonenumbers import timezone

from wafast.refusal import Refusal

#: Region of a number written without a country code.
DEFAULT_REGION = "MY"
#: Every region there is.
REGIONS: frozenset[str] = frozenset(phonenumbers.SUPPORTED_REGIONS)
#: Digits of who has a JID: numbers have at most 15, and LIDs are stored as 64 bits.
LONGEST_PERSON = 18
#: What stands between digits.
_GAPS = str.maketrans("", "", " -()\u00a0")
#: Zones that phonenumbers has another name for than people, with the same hours for as long as there were phones; and
#: those it has a name of old for, which a database may not know: Debian keeps them in a package of their own.
_NAMED = {
    "Asia/Kuching": "Asia/Kuala_Lumpur",
    "Africa/Asmera": "Africa/Asmara",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Godthab": "America/Nuuk",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Choibalsan": "Asia/Ulaanbaatar",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Pacific/Enderbury": "Pacific/Kanton",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
}


#: What can be wrong with a number.
Kind = Literal[
    "no_number", "no_jid", "number_short", "number_long", "number_length", "number_extension", "number_letters"
]


class PhoneError(Refusal[Kind]):
    """The text is no phone number; the message says so and shows a good one."""


def parse(text: str, region: str = DEFAULT_REGION) -> str:
    """E.164 (`+60123456789`) of a number as people write it: `012-345 6789`, `+60 12 345 6789`, `60123456789`.

    Raises PhoneError when it cannot be a number that exists.
    """
    cleaned = text.strip()
    return _common(cleaned, region) or _any(text, cleaned, region)


def beginning(text: str, region: str = DEFAULT_REGION) -> str:
    """What was typed of a number so far, as an international one begins: `012-3` of MY is `+60123`, `0049 3` is `+493`.
    Text that says nothing of that stays as it is."""
    digits = text.translate(_GAPS)
    if not (digits.isascii() and digits.isdigit()):
        return text
    if digits.startswith("00"):
        return f"+{digits[2:]}" if len(digits) > 2 else text
    trunk = _trunk(region)
    if not trunk or not digits.startswith(trunk) or digits == trunk:
        return text
    return f"+{phonenumbers.country_code_for_region(region)}{digits.removeprefix(trunk)}"


@cache
def _trunk(region: str) -> str:
    """What is dialled before a number within this region: 0 in most, nothing where the 0 is the number's."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return (metadata and metadata.national_prefix) or ""


def zone_of(phone: str, otherwise: str) -> str:
    """The IANA time zone of a number in E.164, by its first digits; `otherwise` where none is known."""
    return _zone(phone[:8], otherwise)


@lru_cache(maxsize=65_536)
def _zone(digits: str, otherwise: str) -> str:
    # the table goes by beginnings, so what comes after them may be anything
    try:
        number = phonenumbers.parse(digits.ljust(12, "0"))
    except phonenumbers.NumberParseException:  # no country has this code, yet
        return otherwise
    zone = timezone.time_zones_for_geographical_number(number)[0]
    return otherwise if zone == timezone.UNKNOWN_TIMEZONE else _NAMED.get(zone, zone)


class _Country:
    """What the rules say of a country that has its code for itself.

    Args:
        code: its country code.
        metadata: of its only region.
    """

    def __init__(self, code: str, metadata: phonenumbers.PhoneMetadata) -> None:
        kinds = [getattr(metadata, kind) for kind in _KINDS]
        patterns = [kind.national_number_pattern for kind in kinds if kind is not None and kind.national_number_pattern]
        self.code = code
        self.trunk = metadata.national_prefix or ""
        self._before = re.compile(metadata.national_prefix_for_parsing or "(?!)")
        general = metadata.general_desc
        self._possible = re.compile((general and general.national_number_pattern) or "(?!)")
        self._real = re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or "(?!)")

    def has(self, national: str) -> bool:
        """Whether it is a number of this country, and nothing stands before it that would be taken away."""
        return (
            national[:1] != "0"
            and self._before.match(national) is None
            and self._real.fullmatch(national) is not None
            and self._possible.fullmatch(national) is not None
        )

    def may_be(self, national: str) -> bool:
        """Whether it has the form of a number of this country."""
        return self._possible.fullmatch(national) is not None


_KINDS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip

_WAY_OUT = "write it with its country code, as +60 12-345 6789"
#: By what phonenumbers says of a number's length.
_LENGTHS: dict[int, tuple[Kind, str]] = {
    phonenumbers.ValidationResult.TOO_SHORT: ("number_short", "short"),
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: ("number_short", "short"),
    phonenumbers.ValidationResult.INVALID_LENGTH: ("number_length", "short or too long"),
    phonenumbers.ValidationResult.TOO_LONG: ("number_long", "long"),
}
#: Numbers that are dialled otherwise by now and that WhatsApp goes on with: of Mexico's mobiles, Benin and Ivory Coast.
_OF_OLD = re.compile("521[0-9]{10}|229[0-9]{8}|225[0-9]{8}")


def _common(cleaned: str, region: str) -> str | None:
    """The number, when it is written in a way that leaves no doubt: a tenth of the time of phonenumbers, and the same
    answer. None for all others."""
    digits = cleaned.translate(_GAPS)
    if digits[:1] == "+":
        digits = digits[1:]
        if not (digits.isascii() and digits.isdigit()):
            return None
        for country in _countries_of(digits[:3]):
            national = digits[len(country.code) :]
            return f"+{digits}" if country.has(national) else None
        return None
    home = _home(region)
    if home is None or not (digits.isascii() and digits.isdigit()):
        return None
    if home.trunk and digits.startswith(home.trunk):
        national = digits[len(home.trunk) :]
        return f"+{home.code}{national}" if home.has(national) else None
    if digits.startswith(home.code) and not home.may_be(digits):
        return f"+{digits}" if home.has(digits[len(home.code) :]) else None
    return None


@cache
def _countries_of(start: str) -> tuple[_Country, ...]:
    """The country whose code these three digits begin with, unless several share it."""
    return tuple(_alone(start))


def _alone(start: str) -> Iterator[_Country]:
    for length in range(1, 4 if len(start) == 3 and start[0] != "0" else 1):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(start[:length]), ())
        if len(regions) == 1 and (found := _home(regions[0])) is not None:
            yield found


@cache
def _home(region: str) -> _Country | None:
    code = str(phonenumbers.country_code_for_region(region))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None or len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())) != 1:
        return None
    return _Country(code, metadata)


def _any(text: str, cleaned: str, region: str) -> str:
    _refuse_letters(text)
    # A number without "+" is a local one where the region's rules allow it, else an international one: what CRMs store.
    local, abroad = _read(cleaned, region), _read("+" + cleaned.lstrip("+"), None)
    for number in (local, abroad):
        if number is not None and phonenumbers.is_valid_number(number):
            if number.extension:
                raise PhoneError(
                    "number_extension", f"{text!r} has an extension, which can't be written to: leave it out"
                )
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    digits = cleaned.lstrip("+").replace(" ", "").replace("-", "")
    if abroad is None or not (digits.isascii() and digits.isdigit()) or digits.startswith("0"):
        raise PhoneError("no_number", f"{text!r} is not a phone number; {_WAY_OUT}")
    # ranges newer than our table: what is as long as a number there can be
    fault = _LENGTHS.get(phonenumbers.is_possible_number_with_reason(abroad))
    if fault is not None and _OF_OLD.fullmatch(digits) is None:
        kind, words = fault
        code = abroad.country_code
        raise PhoneError(kind, f"{text!r} is too {words} for a number of +{code}; {_WAY_OUT}", code=code)
    return phonenumbers.format_number(abroad, phonenumbers.PhoneNumberFormat.E164)


def _read(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _refuse_letters(text: str) -> None:
    """Letters before a number are a label, as in `Tel: 012-345 6789`; phonenumbers dials those behind its first
    digit, or drops them."""
    first = next((place for place, one in enumerate(text) if one.isdigit()), len(text))
    letters = re.search(r"[^\W\d_]+", text[first:])
    if letters is not None:
        raise PhoneError(
            "number_letters",
            f"{text!r} has letters in it, {letters[0]!r}; a number in digits is wanted, without extension",
            letters=letters[0],
        )


def to_jid(text: str, region: str = DEFAULT_REGION) -> str:
    """The JID to write to: a JID stays as it is (without device suffix), a phone number becomes one.

    Raises PhoneError when it is neither.
    """
    cleaned = text.strip()
    user, at, server = cleaned.partition("@")
    if not at:
        return parse(cleaned, region)[1:] + "@s.whatsapp.net"
    user = user.partition(":")[0]
    known = {"s.whatsapp.net": "s.whatsapp.net", "c.us": "s.whatsapp.net", "lid": "lid", "g.us": "g.us"}
    digits, most = (user.replace("-", ""), 40) if server == "g.us" else (user, LONGEST_PERSON)
    if server not in known or not (digits.isascii() and digits.isdigit() and len(digits) <= most):
        raise PhoneError(
            "no_jid", f"{text!r} is not a JID to write to; 60123456789@s.whatsapp.net, …@lid and …@g.us are"
        )
    return f"{user}@{known[server]}"


def of_jid(jid: str | None) -> str | None:
    """E.164 of a phone-number JID; None for a LID or a group."""
    if not jid or not jid.endswith("@s.whatsapp.net"):
        return None
    user = jid.partition("@")[0].partition(":")[0]
    return "+" + user if user.isdigit() else None

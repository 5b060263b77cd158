"""Phone numbers: from how people write them to E.164 and to JIDs."""

from __future__ import annotations

import phonenumbers
from phonenumbers import timezone

#: Region of a number written without a country code.
DEFAULT_REGION = "MY"


class PhoneError(ValueError):
    """The text is no phone number; the message says so and shows a good one."""


def parse(text: str, region: str = DEFAULT_REGION) -> str:
    """E.164 (`+60123456789`) of a number as people write it: `012-345 6789`, `+60 12 345 6789`, `60123456789`.

    Raises PhoneError when it cannot be a number that exists.
    """
    cleaned = text.strip()
    # A number without "+" is a local one where the region's rules allow it, else an international one: what CRMs store.
    for candidate, where in ((cleaned, region), ("+" + cleaned.lstrip("+"), None)):
        try:
            number = phonenumbers.parse(candidate, where)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    digits = cleaned.lstrip("+").replace(" ", "").replace("-", "")
    # Ranges newer than our table, and the simulator's own numbers: long enough, digits only, with a country code.
    if digits.isascii() and digits.isdigit() and 8 <= len(digits) <= 15 and not digits.startswith("0"):
        return "+" + digits
    raise PhoneError(f"{text!r} is not a phone number; write it with its country code, as +60 12-345 6789")


def to_jid(text: str) -> str:
    """The JID to write to: a JID stays as it is (without device suffix), a phone number becomes one.

    Raises PhoneError when it is neither.
    """
    cleaned = text.strip()
    user, at, server = cleaned.partition("@")
    if not at:
        return parse(cleaned)[1:] + "@s.whatsapp.net"
    user = user.partition(":")[0]
    known = {"s.whatsapp.net": "s.whatsapp.net", "c.us": "s.whatsapp.net", "lid": "lid", "g.us": "g.us"}
    digits = user.replace("-", "") if server == "g.us" else user
    if server not in known or not (digits.isascii() and digits.isdigit() and len(digits) <= 40):
        raise PhoneError(f"{text!r} is not a JID to write to; 60123456789@s.whatsapp.net, …@lid and …@g.us are")
    return f"{user}@{known[server]}"


def zone_of(jid: str) -> str | None:
    """The time zone (IANA) of the place a phone-number JID's number is of; None where nobody can say."""
    phone = of_jid(jid)
    if phone is None:
        return None
    try:
        zones = timezone.time_zones_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return None
    return next((zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE), None)


def of_jid(jid: str | None) -> str | None:
    """E.164 of a phone-number JID; None for a LID or a group."""
    if not jid or not jid.endswith("@s.whatsapp.net"):
        return None
    user = jid.partition("@")[0].partition(":")[0]
    return "+" + user if user.isdigit() else None

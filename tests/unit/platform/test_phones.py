"""Phone numbers: the quick reading of common shapes says what the thorough one says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers.tzdata import TIMEZONE_DATA

from wafast import phones

REGIONS = ["MY", "SG", "ID", "US", "GB", "DE", "IT", "IN", "BR", "MX", "AR", "RU", "CN", "AU"]
STARTS = [
    "",
    "0",
    "+",
    "+0",
    "00",
    "60",
    "+60",
    "+6001",
    "65",
    "+65",
    "+62",
    "+49",
    "+39",
    "+55",
    "+52",
    "+54",
    "+86",
    "01",
    "+1",
]


@given(st.sampled_from(STARTS), st.text("0123456789", min_size=5, max_size=13), st.sampled_from(REGIONS))
def test_what_is_read_quickly_is_read_alike(start: str, digits: str, region: str) -> None:
    text = start + digits
    quick = phones._common(text, region)
    if quick is not None:
        assert quick == phones._any(text, text, region)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("012-345 6789", "+60123456789"),
        ("+60 (12) 345-6789", "+60123456789"),
        ("60123456789", "+60123456789"),
        ("+6591234567", "+6591234567"),
    ],
)
def test_common_shapes_are_read_quickly(text: str, number: str) -> None:
    assert phones._common(text, "MY") == number == phones.parse(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("+60125550", "'+60125550' is too short for a number of +60; write it with its country code"),
        ("60125550", "too short for a number of +60"),
        ("+601", "is not a phone number"),
        ("91234567", "too short for a number of +91"),
        ("+60199999999999", "too long for a number of +60"),
        ("+999123456789", "is not a phone number"),
        ("+60123456789 ext 5", "has letters in it, 'ext'"),
        ("012-345 6789 x5", "has letters in it, 'x'"),
        ("012-345 6789#5", "has an extension"),
        ("1-800-CALL-NOW", "has letters in it, 'CALL'"),
        ("+1-800-FLOWERS", "has letters in it, 'FLOWERS'"),
        ("012-345 6789 / 019-888 7766", "is not a phone number"),
    ],
)
def test_what_can_be_no_number_is_refused_and_told_why(text: str, told: str) -> None:
    with pytest.raises(phones.PhoneError, match=re.escape(told)):
        phones.parse(text)
    with pytest.raises(phones.PhoneError, match=re.escape(told)):
        phones.to_jid(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+60155555555", "+60155555555"),  # of no range that is known
        ("+6591234567", "+6591234567"),
        ("+551191234567", "+551191234567"),  # Brazil without and with its ninth digit
        ("+5511912345678", "+5511912345678"),
        ("+525512345678", "+525512345678"),  # Mexico as it is dialled, and as WhatsApp names it
        ("5215512345678", "+5215512345678"),
        ("+54 9 11 1234-5678", "+5491112345678"),  # Argentina: mobile, and without its 9
        ("+54 11 1234-5678", "+541112345678"),
        ("+22997123456", "+22997123456"),  # Benin and Ivory Coast before they had ten digits, and since
        ("+2290197123456", "+2290197123456"),
        ("+22507123456", "+22507123456"),
        ("+2250707123456", "+2250707123456"),
        ("p:+60123456789", "+60123456789"),  # as advertisers export them
        ("Tel: 012-345 6789", "+60123456789"),
        ("+60 012-345 6789", "+60123456789"),
        ("٠١٢٣٤٥٦٧٨٩", "+60123456789"),
    ],
)
def test_numbers_that_may_be_are_taken(text: str, number: str) -> None:
    assert phones.parse(text) == number


@pytest.mark.parametrize(
    ("phone", "zone"),
    [
        ("+60123456789", "Asia/Kuala_Lumpur"),
        ("+6591234567", "Asia/Singapore"),
        ("+14155551234", "America/Los_Angeles"),
        ("+12125551234", "America/New_York"),
        ("+88312345678", "Asia/Tokyo"),
        ("+6712345678", "Asia/Tokyo"),  # no country's
    ],
)
def test_a_number_lives_where_it_begins(phone: str, zone: str) -> None:
    assert phones.zone_of(phone, "Asia/Tokyo") == zone


def test_what_is_typed_so_far_begins_as_the_number_will() -> None:
    assert phones.beginning("012-3", "MY") == "+60123"
    assert phones.beginning("030", "DE") == "+4930"
    assert phones.beginning("0060 12-3", "MY") == "+60123"
    assert phones.beginning("06 69", "IT") == "06 69", "the zero is the number's"
    assert [phones.beginning(zeros, "MY") for zeros in ("0", "00")] == ["0", "00"]
    assert phones.beginning("345", "MY") == "345"
    assert phones.beginning("Ali 0", "MY") == "Ali 0"


def test_every_zone_is_called_as_the_list_of_zones_has_it() -> None:
    of_old = {"Asia/Calcutta", "Asia/Katmandu", "Asia/Rangoon", "America/Buenos_Aires", "Atlantic/Faeroe"}
    found = {phones.zone_of(f"+{begin}", "UTC") for begin in TIMEZONE_DATA}
    assert len(found) > 200
    assert not found & of_old
    assert phones.zone_of("+919812345678", "UTC") == "Asia/Kolkata"

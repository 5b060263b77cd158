"""What of a text can be looked up, and where it stands."""

from __future__ import annotations

import pytest

from wafast.inbox.grams import BUCKETS, MOST_GRAMS, bucket_of, fold, grams_of, in_bucket, wanted

FOUND = [
    ("Is it *still* available?", "avail", ["avail"]),
    ("Is it *still* available?", "vaila IS", ["Is", "vaila"]),
    ("Berapa harga barang ini?", "HARGA", ["harga"]),
    ("这个价格是多少", "价格", ["价格"]),
    ("这个价格是多少", "价", ["价"]),
    ("مرحبا كيف حالك", "حال", ["حال"]),
    ("السَّلامُ عَلَيْكُم", "السلام", ["السَّلامُ"]),
    ("السلام عليكم", "السَّلام", ["السلام"]),
    ("مرحبـــا", "مرحبا", ["مرحبـــا"]),
    ("தமிழ் மொழி வணக்கம்", "வணக்", ["வணக்"]),
    ("สวัสดีครับ ราคาเท่าไหร่", "ราคา", ["ราคา"]),
    ("안녕하세요 가격", "하세", ["하세"]),
    ("party 🎉 now", "🎉", ["🎉"]),
    ("love ❤️ it", "❤", ["❤"]),
    ("love ❤ it", "❤️", ["❤"]),
    ("👨‍👩‍👧 family", "👩", ["👩"]),
    ("RM12.50 only", "12.50", ["12.50"]),
    ("mail a@b.com", "b.com", ["b.com"]),
    ("ok, (see) me", "(see)", ["see"]),
    ("ok bye", "ok", ["ok"]),
    ("k", "K", ["k"]),
    ("ＦＵＬＬ width", "full", ["ＦＵＬＬ"]),
    ("Straße 5", "strasse", ["Straße"]),
    ("cafe\u0301 noir", "café", ["cafe\u0301"]),
    ("see you_there", "u_t", ["u_t"]),
    ("banana", "anana ban", ["banana"]),
    ("Siti Nurhaliza", "siti n", ["Siti", "N"]),
    ("plan b of a plan", "b plan", ["plan", "b", "plan"]),
    ("send an e-mail", "send e-m", ["send", "e-m"]),
    ("价格rm5", "价格r", ["价格r"]),
]


@pytest.mark.parametrize(("text", "query", "parts"), FOUND)
def test_what_is_there_is_found_where_it_stands(text: str, query: str, parts: list[str]) -> None:
    asked = wanted(query)
    assert asked.grams, "nothing to look up"
    assert set(asked.salted(7)) <= grams_of(fold(text), 7)
    assert [text[start:end] for start, end in asked.ranges(text) or []] == parts


@pytest.mark.parametrize(("text", "query"), [
    ("book", "ok"), ("okay", "k"), ("red car", "red bus"), ("价 格", "价格"), ("u.t", "u_t"), ("", "x"),
    ("Siti Aminah", "siti n"), ("beta plan", "b plan"),
])  # fmt: skip
def test_what_is_not_there_is_not_found(text: str, query: str) -> None:
    assert wanted(query).ranges(text) is None


@pytest.mark.parametrize("query", ["012-345 6789", "+60 12-345 6789", "60123456789", "(012) 3456789", "3456", "6789"])
def test_numbers_in_any_writing(query: str) -> None:
    asked = wanted(query)
    assert asked.digits in "60123456789"
    assert set(asked.number_grams(7)) <= grams_of("siti 60123456789", 7)
    assert asked.digit_ranges("+60123456789")


@pytest.mark.parametrize("query", ["0045", "045", "1200", "006012", "0060120", "0120000", "000045"])
def test_zeros_of_a_number_are_not_those_it_is_dialled_with(query: str) -> None:
    asked = wanted(query)
    assert asked.number_grams(7) and set(asked.number_grams(7)) <= grams_of("siti 60120000045", 7)
    assert asked.digit_ranges("60120000045")


@pytest.mark.parametrize("query", ["", "  ", "?!", "()"])
def test_nothing_to_look_for(query: str) -> None:
    assert (wanted(query).terms, wanted(query).grams, wanted(query).digits) == ((), (), "")


def test_tenants_have_hashes_of_their_own() -> None:
    assert grams_of("selamat", 1).isdisjoint(grams_of("selamat", 2))


def test_a_gram_of_four_hours_is_an_int4() -> None:
    for bucket in (0, 1, BUCKETS // 2, BUCKETS - 1, BUCKETS, 124_000):
        assert -(2**31) <= in_bucket(2**20 - 1, bucket) < 2**31
    assert in_bucket(5, 1) == in_bucket(5, 1 + BUCKETS) != in_bucket(5, 2)
    assert bucket_of((14_400 << 32) - 1) == 0 and bucket_of(14_400 << 32) == 1


def test_a_long_query_is_looked_up_by_a_few_grams_of_all_its_parts() -> None:
    asked = wanted("appointment dengan pelanggan esok pagi 0123456789")
    assert len(asked.grams) == MOST_GRAMS
    assert set(asked.salted(1)) <= grams_of("appointment dengan pelanggan esok pagi 0123456789", 1)
    assert not set(asked.salted(1)) <= grams_of("appointment dengan pelanggan", 1)

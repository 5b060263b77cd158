"""Ids from outside."""

from __future__ import annotations

import pytest

from wafast.api.ids import uuids_of
from wafast.api.problems import Problem

ONE, OTHER = "0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c11", "0b9f6a3e-5a0c-4b60-8d5e-6d0f3a3f7c12"


def test_what_a_list_names_twice_counts_once_however_it_is_written() -> None:
    assert [str(one) for one in uuids_of("device", [OTHER, ONE, ONE.upper(), OTHER])] == [OTHER, ONE]


def test_what_is_no_id_names_nothing() -> None:
    with pytest.raises(Problem, match="No such device: 7"):
        uuids_of("device", [ONE, "7"])

"""The suite can't reach the real WhatsApp."""

from __future__ import annotations

import os

import pytest


def test_a_client_in_the_test_process_is_refused() -> None:
    from wafast.devices.neonize_package import gocode

    with pytest.raises(RuntimeError, match="real WhatsApp"):
        gocode.Neonize(b"name", b"id")
    assert os.environ["HTTPS_PROXY"] == "http://127.0.0.1:9"

"""What may be done to messages of this line."""

from __future__ import annotations

import time
from typing import Any

import pytest

from wafast.inbox.messages import FROM_ME
from wafast.outbox.changes import NotPossible, delete_until


@pytest.mark.parametrize("kind", ["system", "call"])
def test_what_happened_is_not_deleted_for_everyone(kind: str) -> None:
    event: Any = {"message_id": "3EB0", "flags": FROM_ME, "kind": kind, "key": int(time.time()) << 32}
    with pytest.raises(NotPossible, match="can't be deleted"):
        delete_until(event)

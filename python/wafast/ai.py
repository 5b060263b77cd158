"""The AI endpoint as the rest of wafast knows it: whatever speaks OpenAI's chat completions. Off without WAFAST_AI_URL.

Nothing of wafast waits for it. Who asks decides what goes there (leads/scorer.py, inbox/drafting.py), and what comes
back is a text of bounded size that nobody trusts. `ai_client.py` asks.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wafast.ai_client import Endpoint
    from wafast.settings import Settings

#: Signs that turn the direction of what stands behind them.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class AiError(Exception):
    """There is no answer; the text is a sentence for people and says what would help."""


class Away(AiError):
    """Not now: another time it may answer. `is_busy`: it says itself that it has too much to do."""

    def __init__(self, text: str, *, is_busy: bool = False) -> None:
        super().__init__(text)
        self.is_busy = is_busy


class Refused(AiError):
    """Not as it is set up: nobody will get an answer before somebody changes that."""


class Unusable(AiError):
    """Not to this question, or nothing that is of use."""


def endpoint_of(settings: Settings, *, at_once: int) -> Endpoint | None:
    """The endpoint of these settings; None when there is none."""
    if settings.ai_url is None or settings.ai_model is None:
        return None
    # 8 MiB and a tenth of a second, for who has an endpoint only
    from wafast.ai_client import Endpoint

    return Endpoint(settings.ai_url, settings.ai_key, settings.ai_model, at_once=at_once)


def plain(text: str, most: int) -> str:
    """At most so many characters of a text, without what is not seen and changes what is: controls but for the end of a
    line, and signs that turn its direction."""
    kept = (
        one for one in text if one == "\n" or (unicodedata.category(one) not in ("Cc", "Cs") and one not in _TURNING)
    )
    return "".join(kept).strip()[:most].strip()

"""What rows of Meta's webhooks have in common: ids that may be missing, and keys for what has none."""

from hashlib import sha256
from typing import Any

import orjson

from channelry.parsing import identifier


def optional(value: Any) -> str:
    """Give an id as a string; `""` for null, for Meta writes either where there is none."""
    if isinstance(value, str):
        return value
    return "" if value is None else identifier(value)


def digest(row: Any) -> str:
    """Give what tells a row without an id from others, and is the same whenever it is delivered again."""
    return sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()

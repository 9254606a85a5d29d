"""What the Bot API's errors mean, by status and by their words; Telegram documents none.

Source: the descriptions that https://github.com/TelegramBotAPI/errors collects.
"""

from channelry.errors import AuthError, RecipientError, RetryableError, SendError

REFUSALS: tuple[tuple[int, str, type[SendError]], ...] = (
    (400, "chat not found", RecipientError),
    (400, "user not found", RecipientError),
    (400, "peer_id_invalid", RecipientError),
    (403, "bot was blocked by the user", RecipientError),
    (403, "user is deactivated", RecipientError),
    (403, "bot was kicked", RecipientError),
    (403, "bot can't initiate conversation with a user", RecipientError),
    (403, "bot can't send messages to the user", RetryableError),  # seen to pass at the next attempt
    (401, "", AuthError),
    (404, "", AuthError),  # the token is part of the path
    (409, "", AuthError),
    (429, "", RetryableError),
)
"""Status, words of the description in lower case, error; the first row that fits. What fits none: 5xx and an
announced restart may be tried again, all else never works."""

_SAME = "message is not modified"
DONE = {"editMessageText": _SAME, "editMessageCaption": _SAME, "deleteMessage": "message to delete not found"}
"""By method, what says in lower case that what was asked for is so already."""

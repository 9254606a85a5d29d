"""What the Bot API's errors mean, by status and by their words; Telegram documents none.

Sources: the descriptions that https://github.com/TelegramBotAPI/errors collects, and
https://github.com/yagop/node-telegram-bot-api/issues/1155
"""

from channelry.errors import AuthError, PermanentError, RecipientError, RetryableError, SendError

ANY = 0
"""Stands for every status."""
REFUSALS: tuple[tuple[int, str, type[SendError]], ...] = (
    (400, "chat not found", RecipientError),
    (400, "user not found", RecipientError),
    (400, "peer_id_invalid", RecipientError),
    (400, "group is deactivated", RecipientError),
    (403, "bot was blocked by the user", RecipientError),
    (403, "user is deactivated", RecipientError),
    (403, "bot was kicked", RecipientError),
    (403, "bot is not a member", RecipientError),
    (403, "the group chat was deleted", RecipientError),
    (403, "bot can't initiate conversation with a user", RecipientError),
    (403, "bot can't send messages to the user", RetryableError),  # seen to pass at the next attempt
    (401, "", AuthError),
    (404, "", AuthError),  # the token is part of the path
    (409, "", AuthError),
    (ANY, "restart", RetryableError),  # it is announced
    (403, "", PermanentError),
)
"""Status, words of the description in lower case, error; the first row that fits. What fits none is as HTTP has it."""

CONFLICT = "another poller or webhook uses this bot: "
"""What stands before the words of a 409."""
LONGEST_WAIT = 86_400.0
"""Most seconds that are waited because Telegram asks for it."""

_SAME = "message is not modified"
DONE = {"editMessageText": _SAME, "editMessageCaption": _SAME, "deleteMessage": "message to delete not found"}
"""By method, what says in lower case that what was asked for is so already."""

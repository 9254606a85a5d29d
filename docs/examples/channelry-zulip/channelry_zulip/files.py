"""Files: uploaded before a message shows them, named by links in the text of messages, fetched when asked for."""

import re

from attrs import evolve

from channelry.errors import PermanentError, RetryableError
from channelry.model import Kind, Media
from channelry.services import FilePart, Save, Services

from .api import Bot

UPLOADED = re.compile(r"\[(?P<name>[^\]\n]*)\]\(/user_uploads/(?P<id>\d+/(?:[\w-]+/)+[\w.-]*\w)\)")
"""A link to an uploaded file. Customers write links too: no path that leads elsewhere fits."""

IMAGES = (".gif", ".jpeg", ".jpg", ".png", ".webp")

BRACKETS = str.maketrans("[]", "()")
"""What would end the text of a link."""


def named(text: str) -> tuple[Media, ...]:
    """Give the files that a message's text links to."""
    return tuple(
        Media(
            kind=Kind.IMAGE if link["id"].lower().endswith(IMAGES) else Kind.DOCUMENT, id=link["id"], name=link["name"]
        )
        for link in UPLOADED.finditer(text)
    )


async def fetch(bot: Bot, media: Media, limit: int, save: Save, services: Services) -> Media:
    """Download a file of at most `limit` bytes, by a link that is good for a minute.

    https://zulip.com/api/get-file-temporary-url
    """
    if not media.id:
        raise PermanentError("the file has no id", code="no_file")
    url = (await bot.request("GET", f"user_uploads/{media.id}", services)).get("url")
    if not isinstance(url, str):
        raise RetryableError("the answer names no file")
    found = await services.http.download(f"{bot.base_url}{url}", save, limit=limit)
    return evolve(media, media_type=found.media_type, size=found.size)


async def link(bot: Bot, media: Media, services: Services) -> str:
    """Give the link by which a message shows a file, which is uploaded first unless it has a URL of its own.

    https://zulip.com/api/upload-file
    """
    name, url = media.name or str(media.kind), media.url
    if not url:
        part = FilePart("filename", name, media.media_type, services.files.read(media.ref), media.size)
        found = await bot.request("POST", "user_uploads", services, files=[part], repeatable=True)
        url = found.get("url", found.get("uri"))  # "uri" before Zulip 9
    if not isinstance(url, str):
        raise RetryableError("the answer names no file")
    return f"[{name.translate(BRACKETS)}]({url})"

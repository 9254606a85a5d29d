"""Sending: from an action to calls of Zulip's API, and the calls themselves."""

from collections.abc import Sequence

from channelry.errors import AmbiguousError
from channelry.model import Call, Capabilities, Edit, Media, Outbound, Receipt, Resend, SendMessage, Target
from channelry.parsing import identifier
from channelry.services import Services
from channelry.text import split

from .api import Bot
from .files import link
from .receive import STREAM, USER


def compose(capabilities: Capabilities, topic: str, outbound: Outbound) -> Sequence[Call]:
    """Turn an action into calls, whose bodies are the fields of Zulip's forms: a call for each piece of text and file.

    `topic`: where in a stream a message goes that answers none.
    """
    capabilities.admit(outbound)
    to = outbound.target.to
    if isinstance(outbound, Edit):
        fields = {"message_id": outbound.external_id, "content": outbound.text}
        return [Call(key=outbound.key, to=to, action="edit", body=fields, resend=Resend.SAFE)]
    assert isinstance(outbound, SendMessage)
    where = _where(outbound.target, topic)
    group = to.scheme != USER
    pieces = split(outbound.text, capabilities.text, capabilities.unit.measure)
    texts = [
        Call(key=f"{outbound.key}/{n}", to=to, action="send", body=where | {"content": piece}, group=group)
        for n, piece in enumerate(pieces)
    ]
    files = [
        Call(key=f"{outbound.key}/{n}", to=to, action="send", body=where, uploads=(part,), group=group)
        for n, part in enumerate(outbound.parts, len(texts))
        if isinstance(part, Media)
    ]
    return texts + files


async def send(bot: Bot, call: Call, services: Services) -> Receipt:
    """Make one call; the client itself raises RetryableError or AmbiguousError where no answer comes."""
    form = dict(call.body)
    if call.action == "edit":
        message = form.pop("message_id")
        await bot.request("PATCH", f"messages/{message}", services, form=form)
        return Receipt((message,))
    for media in call.uploads:
        form["content"] = await link(bot, media, services)
    sent = await bot.request("POST", "messages", services, form=form)
    try:
        return Receipt((identifier(sent["id"]),))
    except (KeyError, ValueError):
        raise AmbiguousError("the answer names no message") from None


async def check(bot: Bot, services: Services) -> None:
    """Ask who the bot is, which changes nothing."""
    await bot.request("GET", "users/me", services)


def _where(target: Target, topic: str) -> dict[str, str]:
    """Give the fields that say where: https://zulip.com/api/send-message"""
    if target.to.scheme != STREAM:
        return {"type": "direct", "to": f"[{target.to.value}]"}
    return {"type": "stream", "to": target.to.value, "topic": target.context.get("topic", topic)}

"""Calls in the making."""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from channelry.model import Call, Media, Outbound, Resend


@frozen
class Draft:
    """A call without what all calls of an action share; the fields are those of `channelry.model.Call`."""

    action: str
    body: Mapping[str, Any]
    uploads: tuple[Media, ...] = ()
    resend: Resend | None = None


def calls(outbound: Outbound, drafts: Iterable[Draft]) -> list[Call]:
    """Make an action's calls, each with a key of its own."""
    to, group = outbound.target.to, outbound.target.thread is not None
    return [
        Call(
            key=f"{outbound.key}:{n}",
            to=to,
            action=draft.action,
            body=draft.body,
            uploads=draft.uploads,
            group=group,
            resend=draft.resend,
        )
        for n, draft in enumerate(drafts)
    ]


def change(outbound: Outbound, action: str, body: Mapping[str, Any]) -> list[Call]:
    """Make the one call of an action that sets what is so after it, so that twice is the same as once."""
    return calls(outbound, [Draft(action, body, resend=Resend.SAFE)])

"""Calls in the making."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from attrs import frozen

from channelry.model import Call, Media, Outbound, Resend

Body: TypeAlias = dict[str, Any]
"""What a provider takes as JSON: one message, or a piece of one."""
Piece: TypeAlias = tuple[Body, tuple[Media, ...]]
"""What one message says, and the files of ours that are uploaded or linked for it when it is sent."""


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

"""Asking the providers of language and sentiment in their order, and keeping who answered."""

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from channelry.dispatch import first_per_item
from channelry.hub import Hub
from channelry.model import Text


@frozen
class Found:
    """What was found of a text (None: nobody was sure), and by whom: the provider and its version, or `""`."""

    answer: Any
    by: str


NOTHING = Found(None, "")


async def asked(hub: Hub, hook: str, texts: Sequence[Text]) -> list[Found]:
    """Ask each provider of a hook for what is still open; its failures count as the hub's own calls' do."""
    answers = [NOTHING] * len(texts)
    for path in hub.configuration.orders.get(hook, ()):
        instance = hub.instances[path]
        still_open = [index for index, found in enumerate(answers) if found.answer is None]
        if not still_open or instance.state != "ready":
            continue
        given, (outcome,) = await first_per_item([instance.hooks[hook]], [texts[index] for index in still_open])
        if outcome.failed and outcome.error is not None:
            hub.counts["failures", outcome.plugin, hook] += 1
            hub.blame(outcome.error)
        for index, answer in zip(still_open, given, strict=True):
            if answer is not None:
                answers[index] = Found(answer, f"{instance.entry.plugin} {instance.entry.version}".strip())
    return answers

"""What micro-batches gain: texts a second that Azure's plugin scores, against one call for each message."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from measure import Figure, at_least
from processes import uvicorn

from channelry.model import Text
from channelry.secrets import Secret
from channelry_azure.plugin import Azure
from channelry_azure.simulator import AzureSimulator

ROUND_TRIP = 0.02
"""Seconds that the simulated resource waits before it answers, as one in a near data centre would."""
AT_ONCE, CALLS = 32, 5
"""Texts that the desk hands over together, and how often in one measurement."""
TEXTS = [Text(text=f"great, where is order {number}", language="en") for number in range(AT_ONCE * CALLS)]

SIMULATED = AzureSimulator(delay=ROUND_TRIP)


async def app(scope: Any, receive: Any, send: Any) -> None:
    await SIMULATED.app(scope, receive, send)


def rate(azure: Azure, at_once: int) -> Callable[[], float]:
    def measured() -> float:
        began = monotonic()
        for start in range(0, len(TEXTS), at_once):
            found = azure.score_sentiment(TEXTS[start : start + at_once])
            assert None not in found
        return len(TEXTS) / (monotonic() - began)

    return measured


def azure_batches() -> Figure:
    with uvicorn("batches:app") as port:
        given = {"base_url": f"http://127.0.0.1:{port}", "key": Secret(SIMULATED.key), "remember": 0}
        batched, alone = Azure(Azure.Config(**given)), Azure(Azure.Config(**given, linger=0.0))
        figure = at_least("azure, texts a second", 5, rate(alone, 1), rate(batched, AT_ONCE))
        batched.close()
        alone.close()
    return figure

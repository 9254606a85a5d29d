"""The two servers of the webhook benchmark: `floor:app` is a bare Starlette route; `instant` records at once."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from sample import APP_SECRET
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from channelry.hub import Hub
from channelry.model import Received
from channelry.sink import Sink


async def hook(request: Request) -> Response:
    body = await request.body()
    mac = "sha256=" + hmac.digest(APP_SECRET.encode(), body, "sha256").hex()
    if not hmac.compare_digest(mac.encode(), request.headers["x-hub-signature-256"].encode()):
        return PlainTextResponse("rejected", 401)
    orjson.loads(body)
    return PlainTextResponse("")


app = Starlette(routes=[Route("/hooks/support", hook, methods=["POST"])])


class Instant(Sink):
    async def record(self, received: Received) -> None:
        return None


@asynccontextmanager
async def instant(hub: Hub) -> AsyncIterator[Sink]:
    yield Instant()

"""The other sides: a bare Starlette route, a sink that keeps nothing, and a provider that accepts whatever comes."""

import asyncio
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from sample import sign
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from channelry.hub import Hub
from channelry.model import Received
from channelry.sink import Sink


async def hook(request: Request) -> Response:
    body = await request.body()
    if not hmac.compare_digest(sign(body).encode(), request.headers["x-hub-signature-256"].encode()):
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


_taken = 0
_SECONDS = float(os.environ.get("STUB_SECONDS", "0"))


async def stub(scope: Any, receive: Any, send: Any) -> None:
    """Answer every POST as WhatsApp does, `STUB_SECONDS` after it came, and every GET with the number of those."""
    global _taken
    if scope["type"] != "http":
        return
    if scope["method"] == "POST":
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(_SECONDS)
        _taken += 1
        body = orjson.dumps({"messaging_product": "whatsapp", "messages": [{"id": f"wamid.{_taken}"}]})
    else:
        body = str(_taken).encode()
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""The ASGI application of the server: webhooks past everything else, Starlette for the few pages, mounted plugins."""

import logging
from collections.abc import Iterator

import orjson
from attrs import asdict
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from channelry.dispatch import explain
from channelry.errors import PluginError
from channelry.hub import Hub
from channelry.secrets import one_line

from .config import ServerConfig
from .endpoint import Application, Receive, Scope, Send, WebhookEndpoint, accepts
from .hooks import Mounted
from .metrics import Metrics

log = logging.getLogger("channelry.server")


def application(hub: Hub, config: ServerConfig) -> Application:
    """Make the application that serves a hub."""
    metrics = Metrics(hub.counts)
    webhooks = WebhookEndpoint(hub, config, hub.configuration.public_url, hub.clock.now, metrics.observe)
    pages = _pages(hub, metrics)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if accepts(scope["path"]):
            await webhooks(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return dispatch


def _pages(hub: Hub, metrics: Metrics) -> Starlette:
    async def health(request: Request) -> Response:
        return _json({"status": "ok"})

    async def ready(request: Request) -> Response:
        reason = ""
        try:
            await hub.sink.probe()
        except Exception as error:  # whatever the application's store raises
            reason = one_line(f"{type(error).__name__}: {error}")
            log.warning("not ready: %s", reason)
        plugins = [asdict(status) | {"reason": one_line(status.reason)} for status in hub.status()]
        return _json({"status": "not ready" if reason else "ready", "plugins": plugins}, 503 if reason else 200)

    async def numbers(request: Request) -> Response:
        from . import exposition

        return Response(exposition.text(metrics), media_type=exposition.MEDIA_TYPE)

    return Starlette(
        routes=[
            Route("/health", health),
            Route("/ready", ready),
            Route("/metrics", numbers),
            *(Mount(mounted.path, mounted.app) for mounted in _mounted(hub)),
        ]
    )


def _mounted(hub: Hub) -> Iterator[Mounted]:
    """Give the applications of the plugins that have one, those with the longer paths first."""
    found = []
    for path, instance in hub.instances.items():
        if "asgi" in instance.pure:
            try:
                mounted = instance.pure["asgi"]()
                if type(mounted) is not Mounted:
                    raise TypeError(f"returned {type(mounted).__name__}, expected Mounted")
            except Exception as error:  # a plugin's own: it harms nobody else
                broken = PluginError(path, "asgi", explain(error))
                hub.counts["failures", path, "asgi"] += 1
                instance.reason = f"asgi: {broken.reason}"
                hub.blame(broken)
                continue
            found.append(mounted)
    yield from sorted(found, key=lambda mounted: len(mounted.path), reverse=True)


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")

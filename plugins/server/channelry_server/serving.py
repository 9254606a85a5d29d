"""Running a hub behind uvicorn: open, listen, serve until told to stop, drain, close."""

import asyncio
import ctypes
import errno
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

import uvicorn
from attrs import define

from channelry.config import Configuration
from channelry.errors import ConfigError, Fault, PluginError
from channelry.hub import Application, Hub, open_hub
from channelry.instance import PluginStatus
from channelry.sink import Sink

from .app import application
from .config import ServerConfig
from .deferred import defer_client
from .endpoint import Application as AsgiApplication
from .protocol import limited

log = logging.getLogger("channelry.server")

_BACKLOG = 2048
# Longer than a proxy keeps its idle connections (nginx and AWS 60 s), so that it never writes on one that we closed.
# https://nginx.org/en/docs/http/ngx_http_upstream_module.html#keepalive_timeout
_KEEP_ALIVE = 75


class Server(uvicorn.Server):
    """uvicorn's server, but a signal only ends it: uvicorn raises the signal anew, and the hub would never close."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as long as the server runs; a second SIGINT ends the draining."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


_ACTIONS: Mapping[int, tuple[str, str]] = {
    errno.EADDRINUSE: ("port", "end what listens there, perhaps another channelry serve, or choose another port"),
    errno.EACCES: ("port", "choose a port from 1024 on, or run it where lower ones are allowed"),
}
"""What is to be changed, and how, when an address cannot be listened on."""


def listener(config: ServerConfig, file: str) -> socket.socket:
    """Bind the address of `[server]`; ConfigError tells why that is not possible."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        return socket.create_server((config.host, config.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        where = f"{config.host}:{config.port}"
        key, action = _ACTIONS.get(error.errno or 0, ("host", "choose an address of this machine"))
        reason, _, _ = str(error.strerror).partition(" (while ")  # Python goes on with the address
        fault = Fault(f"server.{key}", f"an address to listen on, not {where} ({reason})", action)
        raise ConfigError(file, [fault]) from None


def make_server(app: AsgiApplication, config: ServerConfig) -> Server:
    """Make the server of an ASGI application, with the limits of `config`."""
    return Server(
        uvicorn.Config(
            app,
            http=limited(config),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=max(1, round(config.drain_seconds)),
        )
    )


@define(eq=False)
class Strictness:
    """Takes the blame of plugins: the first one that breaks the contract ends the server, and is raised."""

    failure: PluginError | None = None
    server: Server | None = None

    def blame(self, error: Exception) -> None:
        """Log a failure; one of the plugin itself, not of its provider, ends the server."""
        log.error("%s", error)
        if isinstance(error, PluginError) and self.failure is None:
            self.failure = error
            if self.server is not None:
                self.server.should_exit = True

    def over(self, app: Application) -> Application:
        """Give an application whose hub is strict from before its plugins are opened."""

        @asynccontextmanager
        async def strict(hub: Hub) -> AsyncIterator[Sink]:
            hub.blame = self.blame
            async with app(hub) as sink:
                yield sink

        return strict

    def demand(self, found: Sequence[PluginStatus]) -> None:
        """Raise the failure, if there is one by now, or what keeps a plugin from being loaded."""
        unloaded = next((one for one in found if one.state == "not loaded"), None)
        if self.failure is None and unloaded is not None:
            self.failure = PluginError(f"{unloaded.name} ({unloaded.plugin})", "(import)", unloaded.reason)
        if self.failure is not None:
            raise self.failure


async def serve(configuration: Configuration, app: Application, listening: socket.socket, *, strict: bool) -> None:
    """Serve until a signal: then no more connections, the requests that run are answered, and the hub closes.

    With `strict` a broken plugin is raised as PluginError, where it would be quarantined else.
    """
    config = configuration.section("server", ServerConfig)
    strictness = Strictness()
    app = strictness.over(app) if strict else app
    async with defer_client() as http, open_hub(configuration, app, http=http) as hub:
        report(hub.status())
        # What is loaded by now stays: to look through it again and again for garbage would be a tax on every webhook.
        gc.collect()
        give_back()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        server = strictness.server = make_server(application(hub, config), config)
        if strict:
            strictness.demand(hub.status())
        host, port = listening.getsockname()[:2]
        log.info("listening on http://%s:%s, known as %s", host, port, configuration.public_url)
        await server.serve([listening])
        if strict:
            strictness.demand(())
        log.info("drained; closing")


def report(found: Sequence[PluginStatus]) -> None:
    """Log how each plugin fares: a warning with the reason where it is not ready."""
    for one in found:
        level = logging.INFO if one.state == "ready" else logging.WARNING
        reason = f": {one.reason}" if one.reason else ""
        log.log(level, "%s (%s): %s%s", one.name, one.plugin, one.state, reason)


def run(configuration: Configuration, app: Application, *, strict: bool = False) -> None:
    """Serve on an event loop of its own, uvloop where there is one."""
    config = configuration.section("server", ServerConfig)
    try:
        with (
            listener(config, str(configuration.file)) as listening,
            asyncio.Runner(loop_factory=_loop_factory()) as runner,
        ):
            runner.run(serve(configuration, app, listening, strict=strict))
    except PluginError as error:
        log.error("ended by a broken plugin, for --strict: %s", error)
        leave(1)
        raise
    leave(0)


def leave(status: int) -> None:
    """Let the process end although a plugin's thread hangs, for which Python would wait at its exit without end."""
    others = [one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon]
    for thread in others:
        thread.join(1.0)
    hanging = [thread.name for thread in others if thread.is_alive()]
    if hanging:
        log.warning("left behind, for they do not end: %s", ", ".join(hanging))
        logging.shutdown()
        os._exit(status)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return None
    return uvloop.new_event_loop


def give_back() -> None:
    """Give the memory that importing took and left back to the system, where the C library can (glibc)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)

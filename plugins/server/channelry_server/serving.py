"""Running a hub behind uvicorn: open, listen, serve until told to stop, drain, close."""

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn

from channelry.config import Configuration
from channelry.errors import ConfigError, Fault
from channelry.hub import Application, open_hub
from channelry.instance import PluginStatus

from .app import application
from .client import open_client
from .config import ServerConfig
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


def listener(config: ServerConfig, file: str) -> socket.socket:
    """Bind the address of `[server]`; ConfigError tells why that is not possible."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        return socket.create_server((config.host, config.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        where = f"{config.host}:{config.port}"
        of_the_port = error.errno in (errno.EADDRINUSE, errno.EACCES)
        key, action = ("port", "choose another port") if of_the_port else ("host", "choose an address of this machine")
        fault = Fault(f"server.{key}", f"an address to listen on, not {where} ({error.strerror})", action)
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


async def serve(configuration: Configuration, app: Application, listening: socket.socket) -> None:
    """Serve until a signal: then no more connections, the requests that run are answered, and the hub closes."""
    config = configuration.section("server", ServerConfig)
    async with open_client() as http, open_hub(configuration, app, http=http) as hub:
        report(hub.status())
        # What is loaded by now stays: to look through it again and again for garbage would be a tax on every webhook.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        host, port = listening.getsockname()[:2]
        log.info("listening on http://%s:%s, known as %s", host, port, configuration.public_url)
        await make_server(application(hub, config), config).serve([listening])
        log.info("drained; closing")


def report(found: Sequence[PluginStatus]) -> None:
    """Log how each plugin fares: a warning with the reason where it is not ready."""
    for one in found:
        level = logging.INFO if one.state == "ready" else logging.WARNING
        reason = f": {one.reason}" if one.reason else ""
        log.log(level, "%s (%s): %s%s", one.name, one.plugin, one.state, reason)


def run(configuration: Configuration, app: Application) -> None:
    """Serve on an event loop of its own, uvloop where there is one."""
    config = configuration.section("server", ServerConfig)
    with listener(config, str(configuration.file)) as listening, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(configuration, app, listening))
    leave()


def leave() -> None:
    """Let the process end although a plugin's thread hangs, for which Python would wait at its exit without end."""
    others = [one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon]
    for thread in others:
        thread.join(1.0)
    hanging = [thread.name for thread in others if thread.is_alive()]
    if hanging:
        log.warning("left behind, for they do not end: %s", ", ".join(hanging))
        logging.shutdown()
        os._exit(0)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return None
    return uvloop.new_event_loop

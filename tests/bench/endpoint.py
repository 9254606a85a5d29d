"""The webhook endpoint over HTTP, with a sink that keeps nothing."""

import tempfile
from pathlib import Path

import sample
from measure import Figure, at_least
from processes import CONNECTIONS, client, serve, uvicorn


def endpoint() -> Figure:
    name = f"webhook endpoint ({CONNECTIONS} connections)"
    load = client()
    if load is None:
        return Figure(name, "neither wrk nor hey here", "≥ 0.8", False)
    with (
        tempfile.TemporaryDirectory() as folder,
        uvicorn("servers:app") as floor,
        serve(Path(folder), sample.CONFIGURATION, "--app", "servers:instant") as (ours, _),
    ):
        return at_least(name, 0.8, lambda: load(floor), lambda: load(ours))

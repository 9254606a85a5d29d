"""The stand-ins for tests behave as what they stand in for."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.errors import PermanentError, RetryableError
from channelry.services import Downloaded, FilePart
from channelry_testing import AsgiHttp, FakeClock, MemoryFiles, services

pytestmark = pytest.mark.anyio
ORIGIN = "https://api.acme.example"


async def echo(request: Request) -> JSONResponse:
    media_type = request.headers.get("content-type", "")
    seen: dict[str, Any] = {
        "method": request.method,
        "path": str(request.url.path),
        "query": dict(request.query_params),
    }
    if media_type.startswith(("multipart", "application/x-www-form")):
        async with request.form() as form:
            seen["form"] = {
                key: value
                if isinstance(value, str)
                else [value.filename, value.content_type, (await value.read()).decode()]
                for key, value in form.multi_items()
            }
    elif media_type == "application/json":
        seen["json"] = await request.json()
    else:
        seen["body"] = (await request.body()).decode()
    return JSONResponse(seen, headers={"X-Seen": request.headers.get("x-mine", "")})


async def file(request: Request) -> Response:
    status = int(request.query_params.get("status", "200"))
    return Response(b"12345", status, media_type="image/png")


http = AsgiHttp(
    {ORIGIN: Starlette(routes=[Route("/file", file), Route("/{path:path}", echo, methods=["GET", "POST", "DELETE"])])}
)


async def piece() -> AsyncIterator[bytes]:
    yield b"con"
    yield b"tent"


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ({"json": {"a": "ü"}}, {"json": {"a": "ü"}}),
        ({"form": [("a", "1"), ("b", "ü")]}, {"form": {"a": "1", "b": "ü"}}),
        ({"content": b"raw"}, {"body": "raw"}),
        ({"query": {"q": "ü x"}}, {"query": {"q": "ü x"}, "body": ""}),
    ],
)
async def test_each_kind_of_body_arrives(options: Any, seen: Any) -> None:
    answer = await http.request("POST", f"{ORIGIN}/a%20b", headers={"X-Mine": "1"}, **options)
    assert answer.json() == {"method": "POST", "path": "/a b", "query": {}} | seen
    assert answer.headers["x-seen"] == "1"


async def test_files_arrive_as_a_multipart_form() -> None:
    part = FilePart("file", "a.png", "image/png", piece())
    answer = await http.request("POST", f"{ORIGIN}/x", form=[("type", "image/png")], files=[part])
    assert answer.json()["form"] == {"type": "image/png", "file": ["a.png", "image/png", "content"]}


async def test_an_unknown_origin_refuses_the_connection() -> None:
    with pytest.raises(RetryableError, match="refused"):
        await http.request("POST", "https://elsewhere.example/")


async def test_a_download_keeps_the_limit_and_the_taxonomy() -> None:
    saved: list[bytes] = []

    async def save(content: bytes) -> None:
        saved.append(content)

    assert await http.download(f"{ORIGIN}/file", save, limit=5) == Downloaded("image/png", 5)
    assert saved == [b"12345"]
    for query, error in (("", PermanentError), ("?status=404", PermanentError), ("?status=503", RetryableError)):
        with pytest.raises(error):
            await http.download(f"{ORIGIN}/file{query}", save, limit=4)
    assert len(saved) == 1


async def test_the_clock_moves_only_when_told() -> None:
    clock = FakeClock()
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    before = clock.now()
    async with anyio.create_task_group() as tasks:
        for seconds in (0.0, 1.0, 60.0):
            tasks.start_soon(sleeper, seconds)
        await anyio.wait_all_tasks_blocked()
        assert (woken, clock.sleepers) == ([0.0], 2)
        await clock.advance(59)
        assert woken == [0.0, 1.0]
        await clock.advance(1)
    assert woken == [0.0, 1.0, 60.0]
    assert (clock.now() - before).total_seconds() == clock.monotonic() == 60


async def test_services_are_ready_made() -> None:
    ready = services(files=MemoryFiles({"a": b"1"}))
    assert b"".join([one async for one in ready.files.read("a")]) == b"1"
    with pytest.raises(PermanentError):
        [one async for one in ready.files.read("b")]
    with pytest.raises(RetryableError, match=r"channelry\[server\]"):
        await ready.http.request("GET", ORIGIN)
    assert await ready.state.compare_and_set("k", None, "v")
    assert await ready.state.get("k") == "v"
    assert await ready.state.compare_and_set("k", "v", None)
    assert await ready.state.get("k") is None

"""The documentation's examples run: the README's channel, the quoted application, what stands in docs/examples."""

import hmac
import re
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pytest
from house import ROOT, graded, laid_out
from starlette.applications import Starlette
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse
from starlette.routing import Route

from channelry.errors import AuthError, PermanentError, RejectedError, RetryableError
from channelry.model import Address, MessageReceived, Receipt, Request, SendMessage, Target, Unparsed
from channelry.registry import examine
from channelry.secrets import Secret
from channelry_testing import AsgiHttp, services

pytestmark = pytest.mark.anyio
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def acme() -> Any:
    """The README's channel, as a module."""
    (source,) = re.findall(r"```python\n(# acme_chat\.py.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    module = ModuleType("acme_chat")
    sys.modules["acme_chat"] = module
    exec(compile(source, "acme_chat.py", "exec"), module.__dict__)
    cls = module.__dict__["AcmeChat"]
    return cls(cls.Config(token=Secret("t0ken"), signing_secret=Secret("signing-secret")))


def signed(body: bytes) -> Request:
    mac = hmac.digest(b"signing-secret", body, "sha256").hex().encode()
    return Request("POST", "/hooks/acme", ((b"x-acme-signature", mac),), body, NOON)


def test_the_readme_s_channel_keeps_the_contract(acme: Any) -> None:
    examine("acme", type(acme))
    body = orjson.dumps(
        {"messages": [{"id": 7, "at": 1795300000, "from": "u1", "name": "Ada", "text": "hi"}, {"id": 8}]}
    )
    acme.verify(signed(body))
    message, row = acme.parse(signed(body)).events
    assert isinstance(message, MessageReceived)
    assert (message.key, message.text, message.sender.name) == ("7", "hi", "Ada")
    assert isinstance(row, Unparsed)
    with pytest.raises(RejectedError):
        acme.verify(Request("POST", "/", ((b"x-acme-signature", b"\xff"),), body, NOON))


async def test_the_readme_s_channel_sends(acme: Any) -> None:
    seen: list[Any] = []

    async def messages(request: ApiRequest) -> JSONResponse:
        seen.append((request.headers["authorization"], request.headers["idempotency-key"], await request.json()))
        refusals = {"tired": (429, {"retry-after": "7"}), "unknown": (404, {}), "unauthorised": (401, {})}
        status, headers = refusals.get(seen[-1][2]["text"], (200, {}))
        return JSONResponse({"id": len(seen)}, status, headers)

    http = AsgiHttp({"https://api.acme.example": Starlette(routes=[Route("/messages", messages, methods=["POST"])])})

    def calls(text: str) -> Any:
        return acme.compose(SendMessage(key="k", target=Target(to=Address("acme", "u1")), text=text))

    first, second = calls("long " * 500)
    assert await acme.send(first, services(http=http)) == Receipt(("1",))
    assert await acme.send(second, services(http=http)) == Receipt(("2",))
    assert [(token, key) for token, key, _ in seen] == [("Bearer t0ken", "k/0"), ("Bearer t0ken", "k/1")]
    for text, error in (("tired", RetryableError), ("unknown", PermanentError), ("unauthorised", AuthError)):
        with pytest.raises(error):
            await acme.send(calls(text)[0], services(http=http))
    with pytest.raises(PermanentError):
        calls("")


def test_the_quoted_application_is_the_real_one() -> None:
    page = (ROOT / "docs/how-to/application.md").read_text()
    ((path, quoted),) = re.findall(r"<!-- source: (\S+) -->\n```python\n(.*?)```", page, re.DOTALL)
    source = (ROOT / path).read_text()
    assert quoted == source
    code = [line for line in source.splitlines() if line.strip() and not line.strip().startswith('"""')]
    assert len(code) <= 45


@pytest.mark.parametrize("example", sorted((ROOT / "docs/examples").iterdir()), ids=lambda path: path.name)
def test_an_example_s_own_tests_pass_and_the_kit_says_gold(example: Path, tmp_path: Path) -> None:
    """In a copy, which is found as if it were installed."""
    folder = tmp_path / example.name
    shutil.copytree(example, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info"))
    laid_out(folder)
    told = graded(folder)
    assert re.search(r" channelry_\w+\.plugin:\w+: gold ", told), told
    assert " failed" not in told, told

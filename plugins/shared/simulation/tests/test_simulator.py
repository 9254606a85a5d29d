"""A simulated provider records all it sees, fails on demand, and posts what it has to tell."""

from typing import Any

import pytest
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as ApiResponse
from starlette.routing import Route

from channelry.errors import AmbiguousError, RetryableError
from channelry.model import Request
from channelry_simulation import Fault, FaultKind, FaultPlan, Simulator, Taken
from channelry_testing import AsgiHttp

pytestmark = pytest.mark.anyio
ORIGIN = "https://api.acme.example"


class Acme(Simulator):
    channel = "acme"

    def settings(self, base_url: str) -> dict[str, Any]:
        return {"plugin": self.channel, "base_url": base_url}

    def message(self, customer: str, text: str) -> Request:
        return Request("POST", "/", (), f"{customer}:{text}".encode(), self.now())

    def signed(self, request: Request) -> Request:
        return request

    def routes(self) -> list[Route]:
        return [Route("/say", self._say, methods=["POST"])]

    async def _say(self, request: ApiRequest) -> ApiResponse:
        async def take() -> ApiResponse:
            body = await request.json()
            self.ledger.taken.append(Taken("1", body["to"], body["text"], body))
            self.webhooks.append(self.message(body["to"], "delivered"))
            return JSONResponse({"id": "1"})

        return await self.visible(take)

    def refusal(self, fault: Fault) -> ApiResponse:
        return JSONResponse({"refused": fault.kind}, 429, {"retry-after": str(fault.retry_after)})


@pytest.fixture
def acme() -> Acme:
    return Acme()


async def say(acme: Acme) -> Any:
    http = AsgiHttp({ORIGIN: acme.app})
    headers = {"authorization": "Bearer canary"}
    return await http.request("POST", f"{ORIGIN}/say?a=1", headers=headers, json={"to": "ada", "text": "hi"})


async def test_every_request_is_in_the_ledger_without_its_credentials(acme: Acme) -> None:
    assert (await say(acme)).json() == {"id": "1"}
    (entry,) = acme.ledger.entries
    assert (entry.method, entry.path, entry.body, entry.status) == (
        "POST",
        "/say?a=1",
        b'{"to":"ada","text":"hi"}',
        200,
    )
    assert "canary" not in repr(entry.headers)
    assert acme.ledger.taken == [Taken("1", "ada", "hi", {"to": "ada", "text": "hi"})]


async def test_planned_faults_come_in_order_and_then_all_is_well(acme: Acme) -> None:
    acme.faults.add(FaultKind.RATE_LIMITED, 2, retry_after=7)
    answers = [await say(acme) for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"
    assert len(acme.ledger.taken) == 1


@pytest.mark.parametrize(("kind", "taken"), [(FaultKind.LOST, 1), (FaultKind.LOST_UNTAKEN, 0)])
async def test_a_lost_answer_leaves_it_open_what_was_taken(acme: Acme, kind: FaultKind, taken: int) -> None:
    acme.faults.add(kind)
    with pytest.raises(AmbiguousError):
        await say(acme)
    assert len(acme.ledger.taken) == taken
    assert acme.ledger.entries[0].status is None


async def test_an_early_status_is_posted_before_the_answer(acme: Acme) -> None:
    order: list[str] = []

    async def post(webhook: Request) -> int:
        order.append(webhook.body.decode())
        return 200

    acme.post = post
    acme.faults.add(FaultKind.EARLY_STATUS)
    await say(acme)
    order.append("answer")
    assert order == ["ada:delivered", "answer"]


async def test_a_webhook_that_is_not_acknowledged_waits_for_the_next_flush(acme: Acme) -> None:
    statuses = iter([503, 200])

    async def post(webhook: Request) -> int:
        return next(statuses)

    acme.post = post
    await say(acme)
    await acme.flush()
    assert len(acme.webhooks) == 1
    await acme.flush()
    assert len(acme.webhooks) == 0


def test_a_plan_without_faults_gives_none() -> None:
    plan = FaultPlan()
    assert plan.take() is None
    plan.add(FaultKind.BLOCKED)
    assert len(plan) == 1
    assert plan.take() == Fault(FaultKind.BLOCKED)


async def test_an_application_that_raises_has_lost_the_answer_too() -> None:
    async def broken(*_: Any) -> None:
        raise OSError

    http = AsgiHttp({ORIGIN: broken})
    with pytest.raises(AmbiguousError):
        await http.request("POST", ORIGIN)
    with pytest.raises(RetryableError):
        await http.request("GET", ORIGIN)

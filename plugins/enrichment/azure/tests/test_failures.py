"""What goes wrong at Azure or on the way is an error of the contract, after one request, and without the key."""

import logging
import socket
import traceback
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from attrs import define
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from channelry.errors import AuthError, PermanentError, RetryableError, SendError
from channelry.model import Sentiment, Text
from channelry.secrets import Secret
from channelry_azure.plugin import Azure
from channelry_azure.simulator import AzureSimulator
from channelry_simulation import FaultKind
from channelry_testing import FakeClock, services

HELLO = [Text(text="hello", language="en")]
QUOTA = "Out of call volume quota for TextAnalytics F0 pricing tier. Please retry after 15 days."
DOCUMENT = {
    "id": "0",
    "detectedLanguage": {"name": "German", "iso6391Name": "de", "confidenceScore": 1.0},
    "warnings": [],
}


def failure(hook: Callable[..., Any], texts: Any = HELLO) -> SendError:
    with pytest.raises(SendError) as raised:
        hook(texts)
    return raised.value


def refused(status: int, code: str = "X", message: str = "no", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse({"error": {"code": code, "message": message}}, status, named)


def test_a_wrong_key_is_an_auth_error(connect: Callable[..., Azure], simulator: AzureSimulator) -> None:
    error = failure(connect(key=Secret("another-key")).detect_language)
    assert (type(error), error.code) == (AuthError, "401")
    assert "invalid subscription key" in str(error)
    assert [entry.status for entry in simulator.ledger.entries] == [401]


@pytest.mark.parametrize("key", ["canary-5c1f\n", " canary-5c1f", "canary\r\n5c1f", "\u043a\u043b\u044e\u0447-5c1f"])
def test_a_key_that_no_header_can_carry_is_not_sent(
    connect: Callable[..., Azure], simulator: AzureSimulator, key: str
) -> None:
    error = failure(connect(key=Secret(key)).detect_language)
    assert (type(error), error.code) == (AuthError, "bad_key")
    assert "5c1f" not in "".join(traceback.format_exception(error))
    assert simulator.ledger.entries == []


def test_check_raises_what_is_missing(connect: Callable[..., Azure], simulator: AzureSimulator) -> None:
    with pytest.raises(AuthError):
        connect(key=Secret("another-key")).check()
    simulator.broken = {"Hello"}
    with pytest.raises(PermanentError):
        connect().check()


def test_too_many_requests_wait_as_long_as_azure_says(
    azure: Azure, simulator: AzureSimulator, clock: FakeClock
) -> None:
    """Nothing is sent meanwhile, whichever hook is asked; who asks is told how long that will be."""
    simulator.faults.add(FaultKind.RATE_LIMITED, retry_after=17)
    error = failure(azure.score_sentiment)
    assert isinstance(error, RetryableError)
    assert (error.retry_after, error.scope, error.code) == (17, "connection", "429")
    anyio.run(clock.advance, 16)
    for hook in (azure.score_sentiment, azure.detect_language):
        error = failure(hook)
        assert isinstance(error, RetryableError)
        assert (error.retry_after, error.code) == (1, "open")
    assert [entry.status for entry in simulator.ledger.entries] == [429]
    anyio.run(clock.advance, 1)
    assert azure.score_sentiment(HELLO) != [None]


def test_a_batch_of_which_one_request_fails_has_no_answers_and_what_was_paid_for_is_kept(
    azure: Azure, simulator: AzureSimulator
) -> None:
    """None means unsure, never unreachable: who asked asks for all of it again, and only the rest is sent."""
    texts = [Text(text=f"love {index}", language="en") for index in range(30)]
    simulator.faults.add(FaultKind.UNAVAILABLE)
    assert isinstance(failure(azure.score_sentiment, texts), RetryableError)
    assert [entry.status for entry in simulator.ledger.entries] == [503, 200, 200]
    assert None not in azure.score_sentiment(texts)
    assert [entry.status for entry in simulator.ledger.entries] == [503, 200, 200, 200]
    assert azure.billed == {"sentiment": 30}


@pytest.mark.parametrize(
    ("answer", "error", "code", "retry_after"),
    [
        (refused(500, "InternalServerError"), RetryableError, "InternalServerError", None),
        (refused(503, retry_after="Sun, 22 Nov 2026 07:00:30 GMT"), RetryableError, "X", 30.0),
        (refused(503, retry_after="soon"), RetryableError, "X", None),
        (refused(408), RetryableError, "X", None),
        (PlainTextResponse("bad gateway", 502), RetryableError, "502", None),
        (JSONResponse(["bad gateway"], 504), RetryableError, "504", None),
        (refused(403, "403", QUOTA, retry_after="1296000"), RetryableError, "403", 1_296_000.0),
        (refused(403, "403", "blocked by network rules"), AuthError, "403", None),
        (refused(404, "404", "Resource not found"), PermanentError, "404", None),
        (refused(400, "InvalidRequest"), PermanentError, "InvalidRequest", None),
        (RedirectResponse("/elsewhere", 308), RetryableError, "unreadable", None),
        (PlainTextResponse("<html>log in</html>", 200), RetryableError, "unreadable", None),
        (JSONResponse([], 200), RetryableError, "unreadable", None),
        (JSONResponse({"kind": "LanguageDetectionResults"}, 200), RetryableError, "unreadable", None),
        (JSONResponse({"kind": "LanguageDetectionResults", "results": None}, 200), RetryableError, "unreadable", None),
    ],
)
def test_every_answer_has_its_meaning(
    azure: Azure, server: Any, answer: Response, error: type[SendError], code: str, retry_after: float | None
) -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["path"])
        await Request(scope, receive).body()
        await answer(scope, receive, send)

    server.app = app
    raised = failure(azure.detect_language)
    assert (type(raised), raised.code, getattr(raised, "retry_after", None)) == (error, code, retry_after)
    assert seen == ["/language/:analyze-text"]


@pytest.mark.parametrize(
    ("documents", "code"),
    [
        ([DOCUMENT], "de"),
        ([{**DOCUMENT, "id": "99"}, DOCUMENT], "de"),
        ([{**DOCUMENT, "id": "99"}], None),
        ([{**DOCUMENT, "id": None}], None),
        ([], None),
    ],
)
def test_an_answer_for_another_document_is_nobody_s(
    azure: Azure, server: Any, documents: list[Any], code: str | None
) -> None:
    results = {"documents": documents, "errors": [], "modelVersion": "x"}
    server.app = JSONResponse({"kind": "LanguageDetectionResults", "results": results})
    (answer,) = azure.detect_language(HELLO)
    assert (answer and answer.code) == code


def test_an_answer_cannot_reach_into_another_request(azure: Azure, server: Any) -> None:
    """Every request is answered with the first document of all: only the first request asked about it."""
    scores = {"positive": 1.0, "neutral": 0.0, "negative": 0.0}
    document = {"id": "0", "sentiment": "positive", "confidenceScores": scores, "sentences": [], "warnings": []}
    answers = [scores, {"positive": 0.0, "neutral": 0.0, "negative": 1.0}]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        results = {"documents": [{**document, "confidenceScores": answers.pop(0)}], "errors": [], "modelVersion": "x"}
        await JSONResponse({"kind": "SentimentAnalysisResults", "results": results})(scope, receive, send)

    server.app = app
    found = azure.score_sentiment([Text(text="love", language="en")] * 11)
    assert found == [Sentiment(score=1.0, confidence=1.0), *[None] * 10]


@pytest.mark.parametrize("kind", [FaultKind.LOST, FaultKind.LOST_UNTAKEN])
def test_a_lost_answer_can_be_asked_for_again(azure: Azure, simulator: AzureSimulator, kind: FaultKind) -> None:
    simulator.faults.add(kind)
    assert isinstance(failure(azure.detect_language), RetryableError)
    assert [entry.status for entry in simulator.ledger.entries] == [None]
    assert azure.detect_language(HELLO) != [None]


def test_no_answer_in_time_can_be_asked_for_again(connect: Callable[..., Azure]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        base_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        error = failure(connect(base_url=base_url, timeout=0.05).detect_language)
    assert (type(error), error.code) == (RetryableError, "no_answer")


def test_a_refused_connection_can_be_tried_again(connect: Callable[..., Azure]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        base_url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert isinstance(failure(connect(base_url=base_url).detect_language), RetryableError)


@define(eq=False)
class Hurried(FakeClock):
    """A second passes at each look."""

    def monotonic(self) -> float:
        self._elapsed += 1
        return self._elapsed


def test_the_requests_of_one_call_share_its_time(connect: Callable[..., Azure], simulator: AzureSimulator) -> None:
    azure = connect(timeout=15)
    azure.open(services(clock=Hurried()))
    error = failure(azure.score_sentiment, [Text(text="love", language="en")] * 100)
    assert (type(error), error.code) == (RetryableError, "timeout")
    assert 0 < len(simulator.ledger.entries) < 10


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 429, 500])
def test_key_and_text_are_in_no_log_and_no_error(
    connect: Callable[..., Azure], server: Any, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """Even where the other side sends the key back. At INFO nothing is logged at all."""
    key, text = "canary-key-5c1f", "canary text 5c1f"

    async def echo(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        await request.body()
        sent = request.headers["ocp-apim-subscription-key"]
        headers = {"location": f"http://localhost/{sent}", "apim-request-id": sent}
        await refused(status, sent, f"the key\r\n{sent}", **headers)(scope, receive, send)

    server.app = echo
    caplog.set_level(logging.DEBUG)
    error = failure(connect(key=Secret(key)).detect_language, [Text(text=text)])
    told = "".join(traceback.format_exception(error)) + caplog.text
    assert "5c1f" not in told
    assert "5c1f" not in error.code
    assert "\r" not in str(error)
    ours = [one for one in caplog.records if not one.name.startswith("uvicorn")]  # the test's own server
    assert [one for one in ours if one.levelno >= logging.INFO] == []

"""A simulated Azure AI Language: `POST /language/:analyze-text` as Microsoft's SDK calls it, and tokens of Entra ID.

https://learn.microsoft.com/rest/api/language/analyze-text/analyze-text?view=rest-language-analyze-text-2023-04-01
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import anyio
import orjson
from attrs import define, field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from channelry_simulation import Entry, Fault, FaultKind, FaultPlan, Ledger

from .simulator_rules import SCORED, language, opinions, sentiment

VERSIONS = ("2022-05-01", "2023-04-01")
MOST_DOCUMENTS = {"LanguageDetection": 1_000, "SentimentAnalysis": 10}
MOST_CHARACTERS = 5_120
MOST_BYTES = 1_048_576
FIELDS = {"LanguageDetection": {"id", "text", "countryHint"}, "SentimentAnalysis": {"id", "text", "language"}}
PARAMETERS = {
    "LanguageDetection": {"loggingOptOut", "modelVersion"},
    "SentimentAnalysis": {"loggingOptOut", "modelVersion", "opinionMining", "stringIndexType"},
}
_PATH = "/language/:analyze-text"
_SCOPE = "https://cognitiveservices.azure.com/.default"
_KEY_HEADER = "ocp-apim-subscription-key"
_SECRET_HEADERS = (_KEY_HEADER, "authorization")
_WRONG_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an "
    "active subscription and use a correct regional API endpoint for your resource."
)
_TOO_LONG = "A document within the request was too large to be processed. Limit document size to: 5120 text elements."

Answer: TypeAlias = dict[str, Any]


@define(eq=False)
class AzureSimulator:
    """One resource; `app` is its API, an ASGI application that the SDK reaches over HTTP on this machine.

    - `ledger`: every request it saw, without the key. `faults`: what goes wrong with the next requests
      (`RATE_LIMITED`, `UNAVAILABLE`, `LOST`, `LOST_UNTAKEN`).
    - `reordered`: documents are answered last one first. `broken`: texts that it fails to judge, each for itself.
    - `records`: text records that it would bill, by the kind of request. `delay`: seconds before each answer.
    - `tenant`, `client`, `secret`: an application that gets tokens here too, which do as well as the key; each is
      good for `lifetime` seconds and only the last one is.

    Its judgements are those of `simulator_rules`. It refuses a wrong key, what is beyond the limits, and unknown
    fields, and imports nothing of the plugin.
    """

    key: str = "simulated-azure-key"
    tenant: str = "simulated-tenant"
    client: str = "simulated-client"
    secret: str = "simulated-azure-secret"
    delay: float = 0.0
    lifetime: int = 3600
    ledger: Ledger = field(factory=Ledger, init=False)
    faults: FaultPlan = field(factory=FaultPlan, init=False)
    reordered: bool = field(default=False, init=False)
    broken: set[str] = field(factory=set, init=False)
    records: Counter[str] = field(factory=Counter, init=False)
    _tokens: int = field(default=0, init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        """Give the `[enrichment.azure]` table of this resource; its key is inline (`allow_inline_secrets = true`)."""
        return {"base_url": base_url, "key": self.key}

    def requests(self, kind: str) -> list[Mapping[str, Any]]:
        """Give the bodies of the requests of one kind, as they came."""
        asked = [entry for entry in self.ledger.entries if entry.path.startswith(_PATH)]
        return [body for entry in asked if (body := orjson.loads(entry.body))["kind"] == kind]

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the API (ASGI), writing every request to the ledger."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = await request.body()
        response = self._response(request, body)
        if self.delay:
            await anyio.sleep(self.delay)
        headers = {name: value for name, value in request.headers.items() if name not in _SECRET_HEADERS}
        body = body.replace(self.secret.encode(), b"***")
        path = f"{request.url.path}?{request.url.query}"
        status = None if isinstance(response, _NoAnswer) else response.status_code
        self.ledger.entries.append(Entry(request.method, path, headers, body, status))
        await response(scope, receive, send)

    def _response(self, request: Request, body: bytes) -> Response:
        if request.url.path.startswith(f"/{self.tenant}/"):
            return self._entra(request, body)
        if (request.method, request.url.path) != ("POST", _PATH):
            return _refusal(404, "404", "Resource not found")
        if not self._is_ours(request):
            return _refusal(401, "401", _WRONG_KEY)
        fault = self.faults.take()
        if fault is not None:
            return _faulty(fault)
        refused = _refused(request.query_params.get("api-version", ""), body)
        return JSONResponse(self._judged(orjson.loads(body))) if refused is None else refused

    def _is_ours(self, request: Request) -> bool:
        bearer = request.headers.get("authorization")
        if bearer is None:
            return request.headers.get(_KEY_HEADER) == self.key
        return self._tokens > 0 and bearer == f"Bearer {self._token()}"

    def _token(self) -> str:
        return f"simulated-token-{self._tokens}"

    def _entra(self, request: Request, body: bytes) -> Response:
        """Tell where tokens are, or give one (RFC 6749, 4.4; OpenID Connect Discovery, 4)."""
        home = f"{request.url.scheme}://{request.url.netloc}/{self.tenant}"
        token = f"/{self.tenant}/oauth2/v2.0/token"
        if (request.method, request.url.path) == ("GET", f"/{self.tenant}/v2.0/.well-known/openid-configuration"):
            told = {"issuer": f"{home}/v2.0", "authorization_endpoint": f"{home}/oauth2/v2.0/authorize"}
            return JSONResponse({**told, "token_endpoint": f"{home}/oauth2/v2.0/token"})
        if (request.method, request.url.path) != ("POST", token):
            return _refusal(404, "404", "Resource not found")
        given = dict(parse_qsl(body.decode()))
        due = {"client_id": self.client, "client_secret": self.secret, "grant_type": "client_credentials"}
        if given.get("scope") != _SCOPE or any(given.get(name) != value for name, value in due.items()):
            said = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}
            return JSONResponse(said, 401)
        self._tokens += 1
        return JSONResponse({"token_type": "Bearer", "expires_in": self.lifetime, "access_token": self._token()})

    def _judged(self, task: Mapping[str, Any]) -> Answer:
        """Judge each document: those that cannot be judged are errors beside the others."""
        judge = _language if task["kind"] == "LanguageDetection" else _sentiment
        mining = task.get("parameters", {}).get("opinionMining", False)
        results: dict[str, Any] = {"documents": [], "errors": [], "modelVersion": "simulated"}
        for document in task["analysisInput"]["documents"]:
            found = _broken() if document["text"] in self.broken else judge(document)
            self.records[task["kind"]] += -(-len(document["text"]) // 1_000)
            if mining and "sentences" in found:
                found["sentences"][0] |= opinions(document["text"], len(results["documents"]))
            results["errors" if "error" in found else "documents"].append({"id": document["id"], **found})
        if self.reordered:
            results["documents"].reverse()
            results["errors"].reverse()
        return {"kind": f"{task['kind']}Results", "results": results}


def _language(document: Mapping[str, str]) -> Answer:
    country = document.get("countryHint", "US")
    if country and (len(country) != 2 or not country.isalpha()):
        return _error("InvalidCountryHint", "Country hint is not valid. Please specify an ISO 3166-1 alpha-2 code.")
    found = _length_error(document["text"])
    return found or {"detectedLanguage": language(document["text"], country), "warnings": []}


def _sentiment(document: Mapping[str, str]) -> Answer:
    code = document.get("language") or "en"
    if code.lower() not in SCORED:
        return _error("UnsupportedLanguageCode", f"Invalid language code. Supported: {','.join(sorted(SCORED))}.")
    return _length_error(document["text"]) or {**sentiment(document["text"]), "warnings": []}


def _length_error(text: str) -> Answer | None:
    if not text.strip():
        return _error("InvalidDocument", "Document text is empty.")
    return _error("InvalidDocument", _TOO_LONG) if len(text) > MOST_CHARACTERS else None


def _broken() -> Answer:
    return {"error": {"code": "InternalServerError", "message": "An unexpected error occurred."}}


def _error(code: str, message: str) -> Answer:
    inner = {"code": code, "message": message}
    return {"error": {"code": "InvalidArgument", "message": "Invalid argument.", "innererror": inner}}


def _refused(version: str, body: bytes) -> Response | None:
    """Refuse a request that breaks a rule as a whole, or give None."""
    if version not in VERSIONS:
        return _invalid("InvalidParameterValue", f"The api-version must be one of {', '.join(VERSIONS)}.")
    if len(body) > MOST_BYTES:
        return _invalid("InvalidDocumentBatch", f"Request payload is too large. Limit it to {MOST_BYTES} bytes.")
    try:
        return next(_refusals(orjson.loads(body)), None)
    except (ValueError, KeyError, TypeError, AttributeError):  # no JSON (a lone surrogate is none), or another shape
        return _invalid("InvalidRequestBodyFormat", "Request body format is wrong. Make sure it is JSON.")


def _refusals(task: Any) -> Iterator[Response]:
    kind, documents = task["kind"], task["analysisInput"]["documents"]
    if kind not in MOST_DOCUMENTS:
        yield _invalid("InvalidParameterValue", f"The kind must be one of {', '.join(MOST_DOCUMENTS)}.")
        return
    most = MOST_DOCUMENTS[kind]
    if not documents:
        yield _invalid("MissingInputDocuments", "The input documents are missing.")
    if len(documents) > most:
        yield _invalid(
            "InvalidDocumentBatch", f"Batch request contains too many records. Max {most} records are permitted."
        )
    known = {"kind", "analysisInput", "parameters"}
    for given, fields in [(task, known), (task.get("parameters", {}), PARAMETERS[kind])]:
        yield from map(_unknown, given.keys() - fields)
    for document in documents:
        yield from map(_unknown, document.keys() - FIELDS[kind])
        whole = document.keys() >= {"id", "text"} and all(isinstance(value, str) for value in document.values())
        if not whole or not document["id"]:
            yield _invalid("InvalidDocument", "A document needs an id and a text.")
    if any(count > 1 for count in Counter(document["id"] for document in documents).values()):
        yield _invalid("InvalidDocument", "Request contains duplicated Ids. Make sure each document has a unique Id.")


def _unknown(name: str) -> Response:
    return _invalid("InvalidRequestBodyFormat", f"Unknown field {name}.")


def _faulty(fault: Fault) -> Response:
    if fault.kind in (FaultKind.LOST, FaultKind.LOST_UNTAKEN):
        return _NoAnswer()
    if fault.kind is FaultKind.RATE_LIMITED:
        message = "Requests have exceeded the rate limit of your current pricing tier."
        return _refusal(429, "429", message, {"retry-after": f"{fault.retry_after:g}"})
    return _refusal(503, "ServiceUnavailable", "The service is temporarily unavailable.")


def _invalid(code: str, message: str) -> Response:
    inner = {"code": code, "message": message}
    return JSONResponse({"error": {"code": "InvalidRequest", "message": "Invalid Request.", "innererror": inner}}, 400)


def _refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


class _NoAnswer(Response):
    """Begins an answer and breaks it off, so that the server closes the connection: the answer is lost."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})

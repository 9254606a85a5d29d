"""The simulated resource refuses what Azure refuses, with Azure's error bodies, and keeps the key to itself."""

from typing import Any

import orjson
import pytest

from channelry.services import HttpResponse
from channelry_azure.simulator import AzureSimulator
from channelry_testing import AsgiHttp

pytestmark = pytest.mark.anyio

ORIGIN = "https://simulated.cognitiveservices.azure.com"
HELLO = {"id": "0", "text": "hello"}


def many(count: int) -> list[dict[str, str]]:
    return [{"id": str(index), "text": "a"} for index in range(count)]


async def post(
    simulator: AzureSimulator,
    task: Any,
    *,
    key: str = "simulated-azure-key",
    path: str = "/language/:analyze-text?api-version=2023-04-01",
    method: str = "POST",
) -> HttpResponse:
    body = task if isinstance(task, bytes) else orjson.dumps(task)
    http = AsgiHttp({ORIGIN: simulator.app})
    return await http.request(method, ORIGIN + path, headers={"ocp-apim-subscription-key": key}, content=body)


def task(*documents: Any, kind: str = "LanguageDetection", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "analysisInput": {"documents": list(documents)}, **more}


async def test_it_judges_and_keeps_its_ledger_without_the_key() -> None:
    simulator = AzureSimulator()
    answer = await post(simulator, task({**HELLO, "countryHint": ""}, parameters={"loggingOptOut": True}))
    assert answer.status == 200
    assert answer.json()["kind"] == "LanguageDetectionResults"
    (found,) = answer.json()["results"]["documents"]
    assert found["detectedLanguage"] == {"name": "English", "iso6391Name": "en", "confidenceScore": 0.99}
    (entry,) = simulator.ledger.entries
    assert (entry.method, entry.status) == ("POST", 200)
    assert simulator.key not in str(entry.headers)


@pytest.mark.parametrize("body", [task(HELLO), b"no json"])
async def test_a_wrong_key_is_refused_before_all_else(body: Any) -> None:
    answer = await post(AzureSimulator(), body, key="wrong")
    assert (answer.status, answer.json()["error"]["code"]) == (401, "401")


@pytest.mark.parametrize(("path", "method"), [("/", "POST"), ("/language/:analyze-text", "GET")])
async def test_there_is_nothing_else(path: str, method: str) -> None:
    assert (await post(AzureSimulator(), task(HELLO), path=path, method=method)).status == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"no json", "InvalidRequestBodyFormat"),
        (b'{"kind": "LanguageDetection"}', "InvalidRequestBodyFormat"),
        (b"[]", "InvalidRequestBodyFormat"),
        (b'{"text": "\\ud800"}', "InvalidRequestBodyFormat"),
        (task(HELLO, kind="EntityRecognition"), "InvalidParameterValue"),
        (task(), "MissingInputDocuments"),
        (task(*many(11), kind="SentimentAnalysis"), "InvalidDocumentBatch"),
        (task(*many(1001)), "InvalidDocumentBatch"),
        (task({"id": "0", "text": "a" * 1_048_577}), "InvalidDocumentBatch"),
        (task(HELLO, HELLO), "InvalidDocument"),
        (task({"id": "", "text": "a"}), "InvalidDocument"),
        (task({"id": "0"}), "InvalidDocument"),
        (task({**HELLO, "language": "en"}), "InvalidRequestBodyFormat"),
        (task(HELLO, parameters={"opinionMining": True}), "InvalidRequestBodyFormat"),
        (task(HELLO, unknown=1), "InvalidRequestBodyFormat"),
    ],
)
async def test_a_request_that_breaks_a_rule_is_refused_as_a_whole(body: Any, code: str) -> None:
    answer = await post(AzureSimulator(), body)
    error = answer.json()["error"]
    assert (answer.status, error["code"], error["innererror"]["code"]) == (400, "InvalidRequest", code)


async def test_an_unknown_version_is_refused() -> None:
    answer = await post(AzureSimulator(), task(HELLO), path="/language/:analyze-text?api-version=2019-01-01")
    assert answer.json()["error"]["innererror"]["code"] == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("document", "kind", "code"),
    [
        ({"text": ""}, "LanguageDetection", "InvalidDocument"),
        ({"text": "a" * 5121}, "LanguageDetection", "InvalidDocument"),
        ({"text": "a" * 5121}, "SentimentAnalysis", "InvalidDocument"),
        ({"text": "a", "countryHint": "Austria"}, "LanguageDetection", "InvalidCountryHint"),
        ({"text": "a", "language": "tlh"}, "SentimentAnalysis", "UnsupportedLanguageCode"),
    ],
)
async def test_a_document_that_breaks_a_rule_is_refused_alone(document: Any, kind: str, code: str) -> None:
    answer = await post(AzureSimulator(), task({"id": "0", **document}, {"id": "1", "text": "love"}, kind=kind))
    results = answer.json()["results"]
    assert [one["id"] for one in results["documents"]] == ["1"]
    assert [(one["id"], one["error"]["innererror"]["code"]) for one in results["errors"]] == [("0", code)]


async def test_it_bills_by_the_thousand_characters_begun_also_for_what_it_cannot_judge() -> None:
    simulator = AzureSimulator()
    simulator.broken = {"hello"}
    await post(simulator, task(HELLO, {"id": "1", "text": "a" * 1001}))
    await post(simulator, task(HELLO), key="wrong")
    assert simulator.records == {"LanguageDetection": 3}


async def test_opinions_are_told_on_request_and_point_to_their_assessments() -> None:
    food = {"id": "0", "text": "the food was great"}
    told = {}
    for mining in (False, True):
        asked = task(food, kind="SentimentAnalysis", parameters={"opinionMining": mining})
        (found,) = (await post(AzureSimulator(), asked)).json()["results"]["documents"]
        (told[mining],) = found["sentences"]
    assert "targets" not in told[False]
    (target,), (assessment,) = told[True]["targets"], told[True]["assessments"]
    assert (target["text"], target["offset"], assessment["text"]) == ("food", 4, "great")
    assert [one["ref"] for one in target["relations"]] == ["#/documents/0/sentences/0/assessments/0"]


async def token(simulator: AzureSimulator, **given: str) -> HttpResponse:
    form = {
        "grant_type": "client_credentials",
        "client_id": simulator.client,
        "client_secret": simulator.secret,
        "scope": "https://cognitiveservices.azure.com/.default",
        **given,
    }
    http = AsgiHttp({ORIGIN: simulator.app})
    return await http.request("POST", f"{ORIGIN}/{simulator.tenant}/oauth2/v2.0/token", form=list(form.items()))


async def bearer(simulator: AzureSimulator, value: str) -> int:
    http = AsgiHttp({ORIGIN: simulator.app})
    path = "/language/:analyze-text?api-version=2023-04-01"
    answer = await http.request("POST", ORIGIN + path, headers={"authorization": value}, json=task(HELLO))
    return answer.status


async def test_only_the_last_token_that_it_gave_is_good() -> None:
    simulator = AzureSimulator()
    assert await bearer(simulator, "Bearer simulated-token-0") == 401
    first, last = [(await token(simulator)).json()["access_token"] for _ in range(2)]
    statuses = [await bearer(simulator, value) for value in (f"Bearer {first}", last, f"Bearer {last}")]
    assert statuses == [401, 401, 200]
    assert first not in str(simulator.ledger.entries)
    assert simulator.secret not in str(simulator.ledger.entries)


@pytest.mark.parametrize(
    "given", [{"client_secret": "x"}, {"client_id": "x"}, {"scope": "x"}, {"grant_type": "password"}]
)
async def test_a_wrong_application_gets_no_token(given: dict[str, str]) -> None:
    simulator = AzureSimulator()
    assert (await token(simulator, **given)).status == 401
    assert await bearer(simulator, "Bearer simulated-token-1") == 401

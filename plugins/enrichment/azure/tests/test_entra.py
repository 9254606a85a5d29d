"""With Entra ID the resource is asked with a token, over TLS, and nobody sees the application's secret."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from channelry.errors import AuthError, RetryableError
from channelry.model import Language, Text
from channelry.secrets import Secret
from channelry_azure.entra import Entra
from channelry_azure.plugin import Azure
from channelry_azure.simulator import AzureSimulator

HALLO = [Text(text="hallo danke")]
GERMAN = [Language(code="de", confidence=0.99)]

Connect = Callable[..., Azure]


@pytest.fixture
def secure(tls: Any, connect: Connect, simulator: AzureSimulator) -> Connect:
    """Make plugins that have a token's credential, good unless a test says otherwise."""
    tls.app = simulator.app

    def secure(**keys: Any) -> Azure:
        given = {"tenant": simulator.tenant, "client": simulator.client, "secret": Secret(simulator.secret)}
        entra = Entra(**{**given, "authority": tls.base_url, **keys})
        return connect(base_url=tls.base_url, key=None, entra=entra, remember=0)

    return secure


def paths(simulator: AzureSimulator) -> list[str]:
    return [entry.path.split("?")[0].rsplit("/", 1)[-1] for entry in simulator.ledger.entries]


def test_a_token_does_as_well_as_a_key_and_serves_many_requests(secure: Connect, simulator: AzureSimulator) -> None:
    azure = secure()
    assert [azure.detect_language(HALLO) for _ in range(3)] == [GERMAN] * 3
    assert paths(simulator) == ["openid-configuration", "token", *[":analyze-text"] * 3]
    assert simulator.secret not in str(simulator.ledger.entries)


def test_a_token_about_to_expire_is_replaced(secure: Connect, simulator: AzureSimulator) -> None:
    simulator.lifetime = 200  # Microsoft's library renews five minutes ahead
    azure = secure()
    assert [azure.detect_language(HALLO) for _ in range(2)] == [GERMAN] * 2
    assert paths(simulator).count("token") == 2


@pytest.mark.parametrize("wrong", [{"secret": Secret("canary-5c1f")}, {"client": "another"}])
def test_an_application_that_gets_no_token_is_an_auth_error(
    secure: Connect, simulator: AzureSimulator, caplog: pytest.LogCaptureFixture, wrong: dict[str, Any]
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(AuthError) as raised:
        secure(**wrong).detect_language(HALLO)
    assert ":analyze-text" not in paths(simulator)
    assert "5c1f" not in str(raised.value) + caplog.text
    assert [one for one in caplog.records if not one.name.startswith("uvicorn")] == []


def test_without_an_answer_of_entra_it_can_be_tried_again(secure: Connect) -> None:
    with pytest.raises(RetryableError):
        secure(authority="https://localhost:9").detect_language(HALLO)


def test_a_certificate_that_nobody_vouches_for_is_not_shown_the_secret(
    secure: Connect, simulator: AzureSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(RetryableError):
        secure().detect_language(HALLO)
    assert simulator.ledger.entries == []


def test_a_key_goes_over_tls_as_well(tls: Any, connect: Connect, simulator: AzureSimulator) -> None:
    tls.app = simulator.app
    assert connect(base_url=tls.base_url).detect_language(HALLO) == GERMAN

"""Health, readiness, metrics, and what plugins mount."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from channelry.config import load_configuration
from channelry.errors import ConfigError
from channelry.secrets import Secret
from channelry_server.config import ServerConfig
from channelry_server.hooks import Mounted

pytestmark = pytest.mark.anyio


async def test_health_is_good_while_the_loop_lives(serving: Any) -> None:
    async with serving() as running:
        running.store.fails = True
        assert await running.call("GET", "/health") == (200, b'{"status":"ok"}')


@pytest.mark.row("F10")
async def test_readiness_follows_the_sink_and_tells_how_the_plugins_fare(serving: Any) -> None:
    async with serving() as running:
        token = Secret("hunter2-hunter2")
        running.hub.connections["shop"].reason = f"refused {token.reveal()}"
        status, body = await running.call("GET", "/ready")
        (plugin,) = orjson.loads(body)["plugins"]
        assert (status, orjson.loads(body)["status"]) == (200, "ready")
        assert (plugin["name"], plugin["state"], plugin["reason"]) == ("connections.shop", "ready", "refused ***")
        running.store.fails = True
        status, body = await running.call("GET", "/ready")
        assert (status, orjson.loads(body)["status"]) == (503, "not ready")
        assert b"no space" not in body


async def test_the_metrics_count_what_happened(serving: Any) -> None:
    async with serving(body_limit=10) as running:
        await running.call("POST", "/hooks/shop", b"{}", x_key="good")
        await running.call("POST", "/hooks/shop", b"{}", x_key="bad")
        await running.call("POST", "/hooks/shop", b"more than ten", x_key="good")
        await running.call("POST", "/hooks/nobody", b"{}", x_key="good")
        running.hub.counts["sends", "shop", "accepted"] += 3
        running.hub.counts["failures", "connections.shop", "send"] += 2
        status, text = await running.call("GET", "/metrics")
        assert status == 200
        families = {family.name: family for family in text_string_to_metric_families(text.decode())}
        assert set(families) == {
            "channelry_webhooks",
            "channelry_events",
            "channelry_sends",
            "channelry_plugin_failures",
            "channelry_webhook_seconds",
        }
        samples = {
            (sample.name, *sample.labels.values()): sample.value
            for name, family in families.items()
            for sample in family.samples
            if name != "channelry_webhook_seconds"
        }
        assert samples == {
            ("channelry_webhooks_total", "shop", "200"): 1,
            ("channelry_webhooks_total", "shop", "401"): 1,
            ("channelry_webhooks_total", "shop", "413"): 1,
            ("channelry_events_total", "shop", "OptedIn"): 1,
            ("channelry_sends_total", "shop", "accepted"): 3,
            ("channelry_plugin_failures_total", "send", "connections.shop"): 2,
        }
        assert b'channelry_webhook_seconds_count{endpoint="shop"} 2.0' in text
        assert b"nobody" not in text


async def test_a_plugins_application_is_mounted(serving: Any) -> None:
    async with serving() as running:
        assert await running.call("GET", "/shop/anything") == (200, b"page")
        assert (await running.call("GET", "/other"))[0] == 404


async def test_an_application_at_the_root_takes_what_is_left(serving: Any) -> None:
    async with serving(page="") as running:
        assert await running.call("GET", "/other") == (200, b"page")
        assert (await running.call("GET", "/health"))[1] != b"page"


@pytest.mark.row("F7")
async def test_a_plugin_that_cannot_be_mounted_harms_nobody(serving: Any) -> None:
    async with serving(page="/hooks/mine") as running:
        assert (await running.call("POST", "/hooks/shop", b"{}", x_key="good"))[0] == 200
        assert running.hub.counts["failures", "connections.shop", "asgi"] == 1


async def nothing(*_: Any) -> None:
    """Serves nothing."""


@pytest.mark.parametrize("path", ["/hooks", "/hooks/x", "/health", "/metrics", "desk", "/desk/", "/desk?x", "/"])
def test_a_path_that_is_ours_or_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="must match"):
        Mounted(path, nothing)


@pytest.mark.parametrize(
    "wrong",
    [
        {"port": -1}, {"port": 65_536}, {"body_limit": 0}, {"body_seconds": 0.0}, {"header_count": -1},
        {"public_url": "care.example.com"}, {"public_url": "https://a/?q"},
    ],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ServerConfig(**wrong)


@pytest.mark.row("F8")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('log_level = "loud"', "server.log_level: expected one of 'debug', 'info', 'warning', 'error'"),
        ('public_url = "care.example.com"', "server.public_url: expected an http or https URL without a query"),
        ("body_limit = 0", "server.body_limit: expected > 0"),
        ("ports = 1", "server.ports: expected no such key"),
    ],
)
def test_a_fault_of_the_table_is_named_with_what_was_expected(line: str, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "channelry.toml"
    file.write_text(f"[server]\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        load_configuration(file)
    assert expected in str(caught.value)

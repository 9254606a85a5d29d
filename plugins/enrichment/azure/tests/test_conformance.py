"""Azure keeps the rules of an enricher."""

from typing import Any, ClassVar

import pytest

from channelry.secrets import Secret
from channelry_azure.plugin import Azure
from channelry_azure.simulator import AzureSimulator
from channelry_testing import EnricherConformance


class TestAzure(EnricherConformance):
    exempt: ClassVar = {"network": "Microsoft's SDK has a transport of its own, as the README says"}
    languages = (("hallo, wo ist meine Bestellung?", "de"), ("hello, where is my order?", "en"))
    feelings = (("thank you, great", "en", 1), ("schlecht", "de", -1))

    @pytest.fixture
    def simulator(self, simulator: AzureSimulator) -> AzureSimulator:
        return simulator

    @pytest.fixture
    def plugin(self, simulator: AzureSimulator, server: Any) -> Azure:
        return Azure(Azure.Config(base_url=server.base_url, key=Secret(simulator.key)))

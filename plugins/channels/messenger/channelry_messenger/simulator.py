"""A simulated Page: its conversations in Messenger."""

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import define, field
from starlette.requests import Request as ApiRequest
from starlette.responses import Response
from starlette.routing import Route

from channelry.model import Request
from channelry_meta.simulator import MetaSimulator

from .simulator_rules import CONTENTS, MARKS


@define(eq=False, kw_only=True)
class MessengerSimulator(MetaSimulator):
    """A provider of one Page's conversations; `comments`: who wrote each comment, by its id, as messages name them."""

    channel: ClassVar[str] = "messenger"
    about: ClassVar[str] = "page"
    account_setting: ClassVar[str] = "page_id"

    comments: dict[str, str] = field(factory=dict, init=False)

    def message(self, customer: str, text: str) -> Request:
        """Write a text as a customer, by a page-scoped id."""
        return self.webhook(self.row(customer, message={"mid": self.new_id("m_IN"), "text": text}))

    def person(self, customer: str) -> dict[str, Any]:
        return {"first_name": "Customer", "last_name": customer, "profile_pic": f"https://cdn.example/{customer}.jpg"}

    def author(self, name: str, kind: str) -> str:
        return self.comments.get(name) or super().author(name, kind)

    def contents(self) -> Mapping[str, dict[str, Any]]:
        return CONTENTS

    def marks(self) -> dict[str, Any]:
        return MARKS

    def told(self, external_id: str, to: str, message: Mapping[str, Any]) -> list[Request]:
        """Echo a message, which bears its metadata, and tell that it arrived and was read."""
        echo = {"mid": external_id, "is_echo": True, "app_id": int(self.app_id), **message}
        watermark = self.time()
        return [
            self.webhook(self.ours(to, message=echo)),
            self.webhook(self.did(to, delivery={"mids": [external_id], "watermark": watermark})),
            self.webhook(self.did(to, read={"watermark": watermark})),
        ]

    def routes(self) -> list[Route]:
        return [*super().routes(), self.route("/{version}/{object}", self._object)]

    async def _object(self, request: ApiRequest) -> Response:
        return self.look_up(request.path_params["object"])

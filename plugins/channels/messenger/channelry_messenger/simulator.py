"""A simulated Page: its conversations in Messenger."""

from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import define, field
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_meta.simulator import MetaSimulator, gone

from .simulator_rules import CONTENTS, MARKS


@define(eq=False, kw_only=True)
class MessengerSimulator(MetaSimulator):
    """A provider of one Page's conversations.

    - `profiles`: the app has the feature to look people up; without it, only conversations name them.
    - `comments`: who wrote each comment, by its id, as messages name them.
    """

    channel: ClassVar[str] = "messenger"
    about: ClassVar[str] = "page"
    account_setting: ClassVar[str] = "page_id"

    profiles: bool = True
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
        return [
            *super().routes(),
            self.route("/{version}/{account}/conversations", self._conversations),
            self.route("/{version}/{object}", self._object),
        ]

    async def _object(self, request: ApiRequest) -> Response:
        name = request.path_params["object"]
        if not self.profiles and name != self.account:
            raise gone(name)
        return self.look_up(name)

    async def _conversations(self, request: ApiRequest) -> Response:
        """Tell who takes part in the conversation with a person who wrote, or that there is none."""
        person = self.people.get(name := request.query_params.get("user_id", ""))
        if person is None:
            return JSONResponse({"data": []})
        named = {"id": name, "name": f"{person['first_name']} {person['last_name']}".strip()}
        people = {"data": [{"id": self.account, "name": "The Page"}, named]}
        return JSONResponse({"data": [{"id": f"t_{name}", "participants": people}]})

"""A simulated professional account of Instagram: its messages, the comments on its posts, and mentions of it."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from attrs import define, field
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_meta.simulator import BAD_TOKEN, INVALID, gone, json_of
from channelry_meta.simulator_comments import Comment, CommentsSimulator, hidden
from channelry_meta.simulator_shapes import Refused, Shape, examine
from channelry_simulation import Taken

from .simulator_rules import COMMENT, CONTENTS, MENTION

_MENTIONED = re.compile(r"(mentioned_comment|mentioned_media)\.(?:comment_id|media_id)\(([^)]+)\)\{[a-z_,{}]+\}")
_LIFE, _TOO_YOUNG = timedelta(days=60), timedelta(hours=24)


@define(eq=False, kw_only=True)
class InstagramSimulator(CommentsSimulator):
    """A provider of one account.

    - `page_id`: of its Page: then the token is a Page's (Facebook login), else an Instagram login's, which expires.
    - `issued_at`: when the token was made, for the Instagram login.
    - `captions`: posts of others whose captions name the account: author and text by id.
    """

    channel: ClassVar[str] = "instagram"
    about: ClassVar[str] = "instagram"
    account_setting: ClassVar[str] = "ig_id"
    edge: ClassVar[str] = "replies"

    account: str = "1784"
    page_id: str = ""
    issued_at: datetime = field()
    captions: dict[str, tuple[str, str]] = field(factory=dict, init=False)

    @issued_at.default
    def _long_ago(self) -> datetime:
        return self.now() - timedelta(days=2)

    def settings(self, base_url: str) -> dict[str, Any]:
        return {**super().settings(base_url), "page_id": self.page_id}

    def node_id(self) -> str:
        return self.page_id or self.account

    # Webhooks

    def message(self, customer: str, text: str) -> Request:
        """Write a text as a customer, by an Instagram-scoped id."""
        return self.webhook(self.row(customer, message={"mid": self.new_id("aWdm"), "text": text}))

    def comment(self, customer: str, text: str, parent: str = "", *, live: bool = False) -> Request:
        """Comment on a post of the account's, or on its broadcast."""
        (request,) = self.happened(self.write(customer, text, f"M{self.account}", parent, live=live), "add")
        return request

    def mention(self, customer: str, text: str, *, caption: bool = False) -> Request:
        """Name the account in a comment on somebody else's post, or in the caption of an own one."""
        value = {"media_id": self.new_id("X")}
        if caption:
            self.captions[value["media_id"]] = (customer, text)
        else:
            value["comment_id"] = self.write(customer, text, value["media_id"]).id
        return self._change("mentions", value)

    def _change(self, name: str, value: Mapping[str, Any]) -> Request:
        """Tell of a change, in the wrapping that the login has."""
        change = {"field": name, "value": value}
        time = int(self.now().timestamp())
        return self.delivery(time=time, changes=[change]) if self.page_id else self.delivery(time=time, **change)

    def person(self, customer: str) -> dict[str, Any]:
        return {
            "name": f"Customer {customer}",
            "username": f"user_{customer}",
            "profile_pic": f"https://cdn.example/{customer}.jpg",
        }

    def told(self, external_id: str, to: str, message: Mapping[str, Any]) -> list[Request]:
        """Echo a message, and tell that it was read."""
        echo = {"mid": external_id, "is_echo": True, **message}
        return [self.webhook(self.ours(to, message=echo)), self.webhook(self.did(to, read={"mid": external_id}))]

    def happened(self, comment: Comment, verb: str) -> list[Request]:
        """Tell of a new comment, also of the account's own; of changes Instagram tells nothing."""
        if verb != "add":
            return []
        value = {
            "id": comment.id,
            "text": comment.text,
            "from": {"id": comment.author, "username": f"user_{comment.author}"},
            "media": {"id": comment.post, "media_product_type": "FEED"},
            **({"parent_id": comment.parent} if comment.parent else {}),
        }
        return [self._change("live_comments" if comment.live else "comments", value)]

    # The Graph API

    def contents(self) -> Mapping[str, dict[str, Any]]:
        return CONTENTS

    def reaction(self, reaction: str) -> bool:
        return reaction == "love"

    def comment_id(self, post: str) -> str:
        return self.new_id("C")

    def post_of(self, name: str) -> str:
        return name if name == f"M{self.account}" else ""

    def shown(self, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "text": comment.text,
            "timestamp": comment.at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "username": f"user_{comment.author}",
            "from": {"id": comment.author, "username": f"user_{comment.author}"},
        }

    def shape(self) -> Shape:
        return COMMENT

    def apply(self, comment: Comment, body: Any) -> Comment:
        return hidden(comment, body, "hide")

    def answerable(self, over: Comment | None) -> None:
        if over is not None and (over.hidden or over.live):
            raise Refused(INVALID, "hidden and live comments cannot be answered")

    def routes(self) -> list[Route]:
        return [
            self.route("/{version}/refresh_access_token", self._refresh),
            self.route("/{version}/{object}/mentions", self._mentions, "POST"),
            self.route("/{version}/{object}/comments", self._edge, "GET", "POST"),
            *super().routes(),
        ]

    async def _refresh(self, request: ApiRequest) -> Response:
        """Give a new token for one that is a day old at least and has not expired."""
        query, age = request.query_params, self.now() - self.issued_at
        if query.get("grant_type") != "ig_refresh_token" or query.get("access_token") != self.access_token:
            raise Refused(INVALID, "the token cannot be renewed")
        if age < _TOO_YOUNG:
            raise Refused(INVALID, "the token is not old enough to be renewed")
        self.access_token, self.issued_at = self.new_id("renewed-token-"), self.now()
        seconds = _LIFE.total_seconds()
        return JSONResponse({"access_token": self.access_token, "token_type": "bearer", "expires_in": seconds})

    def _admit(self, request: ApiRequest) -> None:
        super()._admit(request)
        if not self.page_id and self.now() - self.issued_at > _LIFE:
            raise Refused(BAD_TOKEN, "Error validating access token: session has expired")

    async def _mentions(self, request: ApiRequest) -> Response:
        """Take an answer to a mention."""
        if request.path_params["object"] != self.account:
            raise gone(request.path_params["object"])
        body = await json_of(request)
        examine(body, MENTION)
        comment = self.comments.get(body.get("comment_id", ""))
        if body["media_id"] not in self.captions and (comment is None or comment.post != body["media_id"]):
            raise gone(body["media_id"])

        async def take() -> Response:
            name, to = self.new_id("C"), comment.author if comment else self.captions[body["media_id"]][0]
            self.ledger.taken.append(Taken(name, to, body["message"], body))
            return JSONResponse({"id": name})

        return await self.visible(take)

    def node(self, name: str, query: Mapping[str, str]) -> Response:
        """Tell of the account; also of a comment or a caption in which it is mentioned."""
        asked = _MENTIONED.fullmatch(query.get("fields", ""))
        if name != self.account or asked is None:
            return self.look_up(name)
        kind, what = asked.groups()
        if kind == "mentioned_comment":
            comment = self.comments.get(what)
            if comment is None:
                raise gone(what)
            media = {"id": comment.post, "permalink": f"https://www.instagram.com/p/{comment.post}/"}
            return JSONResponse({kind: {**self.shown(comment), "media": media}, "id": name})
        if what not in self.captions:
            raise gone(what)
        author, text = self.captions[what]
        shown = {
            "id": what,
            "caption": text,
            "username": f"user_{author}",
            "permalink": f"https://www.instagram.com/p/{what}/",
        }
        return JSONResponse({kind: shown, "id": name})

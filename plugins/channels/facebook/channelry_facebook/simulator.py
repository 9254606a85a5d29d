"""A simulated Page: its posts, and the comments under them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from attrs import define, field
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_meta.simulator import INVALID, gone
from channelry_meta.simulator_comments import Comment, CommentsSimulator, edited, hidden
from channelry_meta.simulator_shapes import Refused, Shape

_TEXT = 8000
_COMMENT = {"message?": _TEXT, "attachment_url?": 2048, "attachment_id?": 512}


@define(eq=False, kw_only=True)
class FacebookSimulator(CommentsSimulator):
    """A provider of one Page's comments; its posts are numbered, and people are known to Messenger by other ids.

    - `posts`: who wrote each post of a visitor's and when, by its id.
    """

    channel: ClassVar[str] = "facebook"
    about: ClassVar[str] = "page"
    account_setting: ClassVar[str] = "page_id"
    edge: ClassVar[str] = "comments"

    posts: dict[str, tuple[str, datetime]] = field(factory=dict, init=False)

    def settings(self, base_url: str) -> dict[str, Any]:
        return {name: value for name, value in super().settings(base_url).items() if name != "human_agent"}

    def message(self, customer: str, text: str) -> Request:
        """Comment on a post of the Page's, as a person by a page-scoped id."""
        (request,) = self.happened(self.write(customer, text, f"{self.account}_900"), "add")
        return request

    def visit(self, customer: str, text: str) -> Request:
        """Write on the Page as a visitor."""
        name = self.new_id(f"{self.account}_")
        self.posts[name] = customer, self.now()
        value = {
            "item": "post",
            "verb": "add",
            "post_id": name,
            "from": {"id": customer, "name": f"Customer {customer}"},
            "message": text,
            "created_time": int(self.now().timestamp()),
        }
        return self._told("feed", value)

    def mention(self, customer: str, text: str, parent: str = "") -> Request:
        """Name the Page in a comment on somebody else's post, or in an answer there."""
        comment = self.write(customer, text, "77777_901", parent)
        value = {
            "item": "comment",
            "verb": "add",
            "post_id": comment.post,
            "comment_id": comment.id,
            "sender_id": customer,
            "sender_name": f"Customer {customer}",
            "created_time": int(comment.at.timestamp()),
        }
        return self._told("mention", value)

    def person(self, customer: str) -> dict[str, Any]:
        return {"name": f"Customer {customer}"}

    def author(self, name: str, kind: str) -> str:
        visited = self.posts.get(name) if kind == "post_id" else None
        return f"PSID-{self.in_time(*visited) if visited else super().author(name, kind)}"

    def contents(self) -> Mapping[str, dict[str, Any]]:
        return {"text": {"text": 2000}}

    def marks(self) -> dict[str, Any]:
        return {"metadata?": 1000}

    def comment_id(self, post: str) -> str:
        return self.new_id(f"{post.rpartition('_')[2]}_")

    def post_of(self, name: str) -> str:
        return name if name.startswith(f"{self.account}_") else ""

    def shown(self, comment: Comment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "message": comment.text,
            "from": {"id": comment.author, "name": f"Customer {comment.author}"},
            "created_time": comment.at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "permalink_url": f"https://www.facebook.com/{comment.id}",
            **({"parent": {"id": comment.parent}} if comment.parent else {}),
        }

    def shape(self) -> Shape:
        return _COMMENT

    def apply(self, comment: Comment, body: Any) -> Comment:
        if isinstance(body, dict) and "message" in body:
            return edited(comment, body, self.account, _TEXT)
        return hidden(comment, body, "is_hidden")

    def happened(self, comment: Comment, verb: str) -> list[Request]:
        """Tell the Page's feed, also of what the Page itself wrote."""
        value = {
            "item": "comment",
            "verb": verb,
            "post_id": comment.post,
            "comment_id": comment.id,
            "parent_id": comment.parent or comment.post,
            "from": {"id": comment.author, "name": f"Customer {comment.author}"},
            "created_time": int(comment.at.timestamp()),
            **({} if verb == "remove" else {"message": comment.text}),
        }
        return [self._told("feed", value)]

    def _told(self, name: str, value: Mapping[str, Any]) -> Request:
        return self.delivery(time=int(self.now().timestamp()), changes=[{"field": name, "value": value}])

    def routes(self) -> list[Route]:
        return [self.route("/{version}/{object}/likes", self._likes, "POST", "DELETE"), *super().routes()]

    async def _likes(self, request: ApiRequest) -> Response:
        name = request.path_params["object"]
        if name not in self.comments:
            raise gone(name)
        if await request.body() not in (b"", b"null"):
            raise Refused(INVALID, "a like has no parameters")
        return JSONResponse({"success": True})

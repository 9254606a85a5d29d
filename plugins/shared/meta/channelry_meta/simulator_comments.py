"""What simulated Facebook and Instagram have in common: comments that are written, listed, changed and removed."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from attrs import define, evolve, field, frozen
from starlette.requests import Request as ApiRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from channelry.model import Request
from channelry_simulation import Taken

from .simulator import INVALID, LATE, MetaSimulator, gone, json_of
from .simulator_shapes import Refused, Shape, examine

_PRIVATE_REPLY = timedelta(days=7)
"""How long after a comment its author can be answered in private."""


@frozen(kw_only=True)
class Comment:
    """One comment: its post, the first-level comment that it answers or `""`, its author, text, time and state."""

    id: str
    post: str
    parent: str
    author: str
    text: str
    at: datetime
    hidden: bool = False
    live: bool = False


@define(eq=False, kw_only=True)
class CommentsSimulator(MetaSimulator):
    """An account under whose posts people comment; `comments` has them by id."""

    edge: ClassVar[str]

    comments: dict[str, Comment] = field(factory=dict, init=False)

    def write(self, author: str, text: str, post: str, parent: str = "", *, live: bool = False) -> Comment:
        """Take a comment; an answer to an answer goes to the first-level comment."""
        above = self.comments.get(parent)
        parent = above.parent or above.id if above else ""
        name = self.comment_id(post)
        comment = Comment(id=name, post=post, parent=parent, author=author, text=text, at=self.now(), live=live)
        self.comments[name] = comment
        return comment

    @abstractmethod
    def comment_id(self, post: str) -> str:
        """Make the id of a new comment."""

    @abstractmethod
    def post_of(self, name: str) -> str:
        """Tell which post of the account's this is, or `""`."""

    @abstractmethod
    def shown(self, comment: Comment) -> dict[str, Any]:
        """Give a comment as the API lists it."""

    @abstractmethod
    def shape(self) -> Shape:
        """Give the shape of a new comment."""

    @abstractmethod
    def apply(self, comment: Comment, body: Any) -> Comment:
        """Change a comment as it is asked; Refused where it cannot be."""

    def happened(self, comment: Comment, verb: str) -> list[Request]:
        """Give the webhooks that tell of what happened to a comment."""
        return []

    def author(self, name: str, kind: str) -> str:
        if kind != "comment_id" or name not in self.comments:
            raise gone(name)
        return self.in_time(self.comments[name].author, self.comments[name].at)

    def in_time(self, author: str, at: datetime) -> str:
        """Give the author of what was written `at` a time, whom a private answer must not reach too late."""
        if self.now() - at > _PRIVATE_REPLY:
            raise LATE
        return author

    def routes(self) -> list[Route]:
        return [
            *super().routes(),
            self.route(f"/{{version}}/{{object}}/{self.edge}", self._edge, "GET", "POST"),
            self.route("/{version}/{object}", self._object, "GET", "POST", "DELETE"),
        ]

    async def _edge(self, request: ApiRequest) -> Response:
        name = request.path_params["object"]
        over = self.comments.get(name)
        post = over.post if over else self.post_of(name)
        if not post:
            raise gone(name)
        if request.method == "GET":
            inside = [
                one for one in self.comments.values() if one.post == post and one.parent == (over.id if over else "")
            ]
            return JSONResponse({"data": [self.shown(one) for one in inside]})
        body = await json_of(request)
        examine(body, self.shape())
        self.answerable(over)

        async def take() -> Response:
            comment = self.write(self.account, body.get("message", ""), post, name)
            self._took(comment, body, "add", to=over.author if over else "")
            return JSONResponse({"id": comment.id})

        return await self.visible(take)

    def answerable(self, over: Comment | None) -> None:
        """Refuse what cannot be answered in public."""

    async def _object(self, request: ApiRequest) -> Response:
        name = request.path_params["object"]
        if request.method == "GET":
            comment = self.comments.get(name)
            return JSONResponse(self.shown(comment)) if comment else self.node(name, request.query_params)
        if name not in self.comments:
            raise gone(name)
        body = await json_of(request) if request.method == "POST" else {}

        async def take() -> Response:
            comment = self.comments[name]
            if request.method == "DELETE":
                del self.comments[name]
                self._took(comment, body, "remove")
            else:
                self.comments[name] = self.apply(comment, body)
                verb = "edited" if "message" in body else "unhide" if comment.hidden else "hide"
                self._took(self.comments[name], body, verb)
            return JSONResponse({"success": True})

        return await self.visible(take)

    def node(self, name: str, query: Mapping[str, str]) -> Response:
        """Tell of an object that is no comment."""
        return self.look_up(name)

    def _took(self, comment: Comment, body: Mapping[str, Any], verb: str, to: str = "") -> None:
        self.ledger.taken.append(Taken(comment.id, to or comment.author, comment.text, body))
        self.webhooks.extend(self.happened(comment, verb))


def hidden(comment: Comment, body: Any, name: str) -> Comment:
    """Hide a comment, or show it again, as the flag of this name says."""
    examine(body, {name: bool})
    return evolve(comment, hidden=body[name])


def edited(comment: Comment, body: Any, account: str, most: int) -> Comment:
    """Replace the text of a comment of ours."""
    examine(body, {"message": most})
    if comment.author != account:
        raise Refused(INVALID, "only own comments can be edited")
    return evolve(comment, text=body["message"])

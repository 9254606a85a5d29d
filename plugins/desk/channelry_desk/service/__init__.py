"""What a program asks of the desk, by topic."""

from collections.abc import Callable

from attrs import define, field

from channelry.hub import Hub

from ..intake import Intake
from ..store import Store
from .catalogue import Catalogue
from .conversations import Conversations
from .customers import Customers
from .letters import Letters
from .log import Log
from .outbox import Outbox
from .people import People
from .search import Search


@define(eq=False, kw_only=True)
class Service:
    """The desk's functions. Each takes the acting user as `by`, and refuses what they are not granted.

    A refusal is a DeskError with a stable `code`; what a channel cannot carry is the channel's own PermanentError or
    WindowClosedError, raised before anything is stored.

    - `conversations`, `customers`, `people`; `catalogue`: what administrators define; `search`: all conversations;
      `letters`: dead letters, and the journal; `log`: every change; `outbox`: sends whose answer was lost.
    - `queued`: called when a call was queued; `region`: the country of telephone numbers written without one.
    """

    hub: Hub
    store: Store
    intake: Intake
    queued: Callable[[], None]
    region: str = ""
    conversations: Conversations = field(init=False)
    customers: Customers = field(init=False)
    people: People = field(init=False)
    catalogue: Catalogue = field(init=False)
    search: Search = field(init=False)
    letters: Letters = field(init=False)
    log: Log = field(init=False)
    outbox: Outbox = field(init=False)

    def __attrs_post_init__(self) -> None:
        given = self.hub, self.store, self.intake, self.queued
        self.conversations = Conversations(*given)
        self.customers = Customers(*given, self.region)
        self.people = People(*given)
        self.catalogue = Catalogue(*given)
        self.search = Search(*given)
        self.letters = Letters(*given)
        self.log = Log(*given)
        self.outbox = Outbox(*given)

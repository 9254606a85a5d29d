"""What a program asks of the desk, by topic."""

from collections.abc import Callable

from attrs import define, field

from channelry.hub import Hub

from ..config import DeskConfig
from ..folder import Folder
from ..intake import Intake
from ..store import Store
from .catalogue import Catalogue
from .conversations import Conversations
from .customers import Customers
from .details import DetailsTopic
from .files import Files
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

    - `conversations`, `customers`, `people`; `catalogue`: what administrators define; `details`: what is noted about
      conversations; `files`; `search`: all conversations;
      `letters`: dead letters, and the journal; `log`: every change; `outbox`: sends whose answer was lost.
    - `queued`: called when a call was queued; `folder`: where files lie.
    """

    hub: Hub
    store: Store
    intake: Intake
    queued: Callable[[], None]
    config: DeskConfig
    folder: Folder
    conversations: Conversations = field(init=False)
    customers: Customers = field(init=False)
    people: People = field(init=False)
    catalogue: Catalogue = field(init=False)
    search: Search = field(init=False)
    details: DetailsTopic = field(init=False)
    files: Files = field(init=False)
    letters: Letters = field(init=False)
    log: Log = field(init=False)
    outbox: Outbox = field(init=False)

    def __attrs_post_init__(self) -> None:
        given = self.hub, self.store, self.intake, self.queued
        self.conversations = Conversations(*given)
        self.customers = Customers(*given, self.config.region)
        self.people = People(*given)
        self.catalogue = Catalogue(*given)
        self.search = Search(*given)
        self.details = DetailsTopic(*given)
        self.files = Files(*given, self.folder, self.config.media_limit)
        self.letters = Letters(*given)
        self.log = Log(*given)
        self.outbox = Outbox(*given)

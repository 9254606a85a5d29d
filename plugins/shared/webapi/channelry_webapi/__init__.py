"""What channels over a web API share.

- `client` makes requests that bear the account's `credentials`: secrets that last, `tokens` that end and that `grants`
  renew, or keys that sign (`oauth1`).
- `answers` tells what an answer means; `doubt` looks for a message whose answer was lost.
- `parts` reads what a message contains; `drafts` become calls.
- `files` downloads, and puts together what is sent at once; `signatures` compares those of webhooks, and `webhooks`
  their address.
"""

from .answers import content, ids, kind_of, named, object_in, refusal, rows_in, unreadable
from .client import Client, Options
from .credentials import Credentials, Missing, Shown, basic
from .doubt import Listed
from .drafts import Body, Draft, Piece, calls, change
from .files import batches, cut, download, enclosed, fetch, require_link
from .grants import Grant
from .oauth1 import OAuth1
from .parts import (
    Content,
    Reader,
    in_utc,
    kind_of_file,
    optional_number,
    optional_text,
    place,
    read,
    rfc3339,
    unsupported,
)
from .signatures import require, require_hmac
from .tokens import Issued, Tokens
from .webhooks import require_here

__all__ = [
    "Body",
    "Client",
    "Content",
    "Credentials",
    "Draft",
    "Grant",
    "Issued",
    "Listed",
    "Missing",
    "OAuth1",
    "Options",
    "Piece",
    "Reader",
    "Shown",
    "Tokens",
    "basic",
    "batches",
    "calls",
    "change",
    "content",
    "cut",
    "download",
    "enclosed",
    "fetch",
    "ids",
    "in_utc",
    "kind_of",
    "kind_of_file",
    "named",
    "object_in",
    "optional_number",
    "optional_text",
    "place",
    "read",
    "refusal",
    "require",
    "require_here",
    "require_hmac",
    "require_link",
    "rfc3339",
    "rows_in",
    "unreadable",
    "unsupported",
]

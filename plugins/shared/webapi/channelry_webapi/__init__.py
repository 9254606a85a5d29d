"""What channels over a web API share.

- `client` makes requests that bear the account's `credentials`; `tokens` are those that end and are renewed.
- `answers` tells what an answer means; `doubt` looks for a message whose answer was lost.
- `parts` reads what a message contains; `drafts` become calls.
- `files` downloads, and puts together what is sent at once; `signatures` compares those of webhooks, and `webhooks`
  their address.
"""

from .client import Client, Options
from .credentials import Credentials, Missing, Shown
from .doubt import Listed
from .files import batches, download, fetch
from .tokens import Issued, Tokens, granted

__all__ = [
    "Client",
    "Credentials",
    "Issued",
    "Listed",
    "Missing",
    "Options",
    "Shown",
    "Tokens",
    "batches",
    "download",
    "fetch",
    "granted",
]

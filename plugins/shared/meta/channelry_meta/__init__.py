"""What Meta's channels share.

- `webhook` tells whether a request is Meta's and walks through it; `graph` calls Meta's API; `refusals` turns its
  errors into ours. These WhatsApp uses too.
- `access`, `account`, `codes`, `limits`: an account's configuration, its hooks that all have alike, error codes, sizes.
- `conversations` and `attachments` read direct messages, `messages` sends them; `feed` reads comments, `comments` sends
  them.
"""

from .graph import Graph
from .refusals import Refusals, Rule, rules
from .webhook import challenge, verify

__all__ = ["Graph", "Refusals", "Rule", "challenge", "rules", "verify"]

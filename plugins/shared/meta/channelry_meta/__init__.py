"""What Meta's channels share: signature, handshake, Graph client, error table.

`webhook` tells whether a request is Meta's, `graph` calls Meta's API, `refusals` turns its errors into ours.
"""

from .graph import Graph
from .refusals import Refusals, Rule, rules
from .webhook import challenge, verify

__all__ = ["Graph", "Refusals", "Rule", "challenge", "rules", "verify"]

"""What every provider simulator shares: the ledger, the fault plan, and the delivery of webhooks."""

from .faults import Fault, FaultKind, FaultPlan
from .ledger import Entry, Ledger, Taken
from .simulator import Simulator

__all__ = ["Entry", "Fault", "FaultKind", "FaultPlan", "Ledger", "Simulator", "Taken"]

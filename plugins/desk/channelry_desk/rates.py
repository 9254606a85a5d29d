"""How fast we may send: the channel's declared rates and the provider's own pauses. Pure: the time is given."""

from collections import deque
from collections.abc import Hashable, Iterator, Sequence

from attrs import define, field

from channelry.model import Call, Rate, RateScope

_PRUNE = 10_000


@define(eq=False)
class Rates:
    """Counts calls over sliding windows, so that no window of a rate's length ever has more than its count.

    Seconds are monotonic ones. The counts live as long as the process: after a restart they begin anew.
    """

    _taken: dict[Hashable, deque[float]] = field(factory=dict, init=False)
    _held: dict[Hashable, float] = field(factory=dict, init=False)

    def wait(self, connection: str, endpoint: str, call: Call, rates: Sequence[Rate], now: float) -> float:
        """Take a place for a call and give 0.0, or give the seconds until it is worth asking again."""
        applicable = list(_applicable(connection, endpoint, call, rates))
        until = max((self._held.get(key, 0.0) for key in _keys(connection, endpoint, call).values()), default=0.0)
        for key, rate in applicable:
            taken = self._taken.setdefault(key, deque())
            while taken and taken[0] + rate.seconds <= now:
                taken.popleft()
            if len(taken) >= rate.count:
                until = max(until, taken[0] + rate.seconds)
        if until > now:
            return until - now
        for key, _ in applicable:
            self._taken[key].append(now)
        if len(self._taken) > _PRUNE:
            self._taken = {key: taken for key, taken in self._taken.items() if taken and taken[-1] + 60 > now}
        return 0.0

    def hold(self, scope: str, connection: str, endpoint: str, call: Call, until: float) -> None:
        """Let everything of a scope wait, as the provider asked."""
        key = _keys(connection, endpoint, call).get(scope)
        if key is not None:
            self._held[key] = max(until, self._held.get(key, 0.0))


def _keys(connection: str, endpoint: str, call: Call) -> dict[str, Hashable]:
    recipient = (connection, call.to)
    keys: dict[str, Hashable] = {
        RateScope.APP: (RateScope.APP, endpoint),
        RateScope.CONNECTION: (RateScope.CONNECTION, connection),
        RateScope.RECIPIENT: (RateScope.RECIPIENT, *recipient),
    }
    return keys | {RateScope.GROUP: (RateScope.GROUP, *recipient)} if call.group else keys


def _applicable(connection: str, endpoint: str, call: Call, rates: Sequence[Rate]) -> Iterator[tuple[Hashable, Rate]]:
    keys = _keys(connection, endpoint, call)
    for rate in rates:
        if rate.scope in keys and (not rate.actions or call.action in rate.actions):
            yield (keys[rate.scope], rate), rate

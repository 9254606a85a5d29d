"""What arrives, into the store: one operation for each request, in the transaction that its acknowledgement awaits."""

from collections.abc import Mapping

from attrs import define

from channelry.model import (
    Activity,
    Address,
    Announced,
    Event,
    MessageReceived,
    Part,
    Profile,
    Received,
    Surface,
    Unparsed,
)

from . import changes, conversations, jobs, rules, sql, visits
from .attachments import file_of
from .conversations import Place
from .database import Database
from .journal import enter
from .moments import micros
from .states import ConversationState
from .texts import json_of, payload, plain, visible

UNCLAIMED = "unclaimed: no connection has this account"


@define(eq=False)
class Intake:
    """Records requests.

    - `channels`: the channel (the plugin's name) of each connection; what two connections of one channel know of a
      person they know together.
    - `open_for`: microseconds that a conversation stays open without a message from the customer, where no policy
      says otherwise.
    """

    channels: Mapping[str, str]
    open_for: int

    def record(self, db: Database, received: Received) -> int:
        """Record a request and all its events; give how many of them were new."""
        journal = enter(db, received)
        new = sum(self.apply(db, received, event, journal) for event in received.events)
        return _kept(db, journal, new)

    def record_singly(self, db: Database, received: Received) -> int:
        """Record a request of which something cannot be applied: that becomes a dead letter, the rest is recorded."""
        journal = enter(db, received)
        return _kept(db, journal, self.apply_singly(db, received, journal))

    def apply_singly(self, db: Database, received: Received, journal: int) -> int:
        """Apply the events of a request of the journal, each alone; one that cannot be becomes a dead letter."""
        new = 0
        for event in received.events:
            db.execute("SAVEPOINT event")
            try:
                new += self.apply(db, received, event, journal)
            except Exception as error:  # whatever a value of a plugin's makes the store or our own code raise
                if db.failed(error):
                    raise
                db.execute("ROLLBACK TO event")
                at = micros(received.request.received_at)
                new += bury(db, received.connection, event, journal, f"not applied: {type(error).__name__}", at)
            db.execute("RELEASE event")
        return new

    def apply(self, db: Database, received: Received, event: Event, journal: int | None) -> bool:
        """Apply one event, unless it is known; tell whether it was new."""
        connection, at = received.connection, micros(received.request.received_at)
        if type(event) is MessageReceived and connection:
            return self._message(db, connection, event, at, journal)
        if type(event) is Unparsed:
            return bury(db, connection, event, journal, event.reason, at)
        if not connection:
            return bury(db, connection, event, journal, UNCLAIMED, at)
        channel = self.channels.get(connection, connection)
        if (writer := rules.writer(event)) is not None and _is_dropped(db, channel, writer):
            return False
        known = changes.record(db, channel, connection, event, journal)
        if known is None:
            return False
        if type(event) is Announced:
            jobs.add(db, "expand", connection, known, at)
        elif type(event) is Activity:
            profile = save_profile(db, channel, connection, event.sender, at)
            visits.record(db, profile, connection, event)
            if event.name in visits.TELLING:
                jobs.add(db, "recognize", connection, profile, at)
        return True

    def _message(self, db: Database, connection: str, event: MessageReceived, at: int, journal: int | None) -> bool:
        channel = self.channels.get(connection, connection)
        address, external_id, key = event.sender.address, event.external_id, event.key
        direct = event.thread is None and event.surface is Surface.DIRECT
        place = "" if direct else rules.place(event.surface, event.thread, external_id)
        where = (connection, external_id, place, channel, address.scheme, address.value, address.scope)
        row = db.execute(sql.FIND, where).fetchone()
        seen = signature(event.sender)
        if row is None and _is_known(db, connection, key):  # redelivered after its writer was erased
            return False
        if row is None or (row[1] != seen and not row[-1]):
            save_profile(db, channel, connection, event.sender, at)
            row = db.execute(sql.FIND, where).fetchone()
        profile, _, conversation, state, open_for, expires_at, early, barred = row
        if barred:
            db.execute(sql.DROPPED, (profile,))
            return False
        if rules.joins_anybody(event):
            place, found = changes.joined(db, connection, place, rules.own_place(event))
            if found is not None:
                conversation, state, open_for, expires_at = found
        opens = conversation is None or at > expires_at
        if opens:
            if _is_known(db, connection, key):  # redelivered after its conversation was closed
                return False
            if conversation is not None:
                conversations.close_over(db, conversation, at)
            opened = Place(
                connection=connection, profile=profile, scheme=address.scheme, surface=event.surface, place=place
            )
            conversation, open_for = conversations.begin(db, at, opened, self.open_for)
        occurred_at, text = micros(event.occurred_at), visible(event.text)
        message = (conversation, connection, key, None if external_id == key else external_id,
                   occurred_at, at, text, payload(event), journal)  # fmt: skip
        appended = db.insert(sql.APPEND, message)
        if not appended:
            return False
        db.execute(sql.TOUCH, (at, at + open_for, occurred_at, conversation))
        db.given((sql.LOG_ALL, [(appended - 1,)]))
        if state == ConversationState.WAITING:
            conversations.answered(db, conversation, at)
        if event.parts:
            _await_media(db, connection, appended, event.parts, at)
        if early:
            changes.catch_up(db, connection, external_id)
        return True


def _kept(db: Database, journal: int, new: int) -> int:
    """Take a request out of the journal again of which nothing was new; give how many events were."""
    if not new:
        db.execute(sql.UNREQUEST, (journal,))
    return new


def _is_dropped(db: Database, channel: str, writer: Address) -> bool:
    """Tell whether somebody is barred, and count that what they did was ignored."""
    row = db.execute(sql.BARRED, (channel, writer.scheme, writer.value, writer.scope)).fetchone()
    if row is not None:
        db.execute(sql.DROPPED, (row[0],))
    return row is not None


def bury(db: Database, connection: str, event: Event, journal: int | None, reason: str, at: int) -> bool:
    """Put an event on the list of dead letters, once."""
    row = (connection, plain(str(event.key)), journal, type(event).__name__, plain(reason), at)
    return bool(
        db.execute(
            "INSERT INTO dead_letters (connection, key, journal, type, reason, recorded_at) VALUES (?,?,?,?,?,?)"
            " ON CONFLICT DO NOTHING",
            row,
        ).rowcount
    )


def bury_again(db: Database, connection: str, event: Event, journal: int | None, reason: str, at: int) -> None:
    """Put an event on the list of dead letters, also where a replay had taken it off."""
    if not bury(db, connection, event, journal, reason, at):
        db.execute(
            "UPDATE dead_letters SET settled_at = NULL, reason = ?, recorded_at = ? WHERE connection = ? AND key = ?",
            (plain(reason), at, connection, plain(str(event.key))),
        )


def settle(db: Database, connection: str, event: Event, at: int) -> None:
    """Take an event off the list of dead letters."""
    db.execute(
        "UPDATE dead_letters SET settled_at = ? WHERE connection = ? AND key = ? AND settled_at IS NULL",
        (at, connection, plain(str(event.key))),
    )


def ask_again(db: Database, connection: str, event: Announced, at: int) -> bool:
    """Have what was announced asked about again, unless something has taken its place; tell whether it is."""
    row = db.execute(
        "SELECT id FROM events WHERE connection = ? AND key = ? AND settled = 0", (connection, event.key)
    ).fetchone()
    if row is not None:
        jobs.add(db, "expand", connection, row[0], at)
    return row is not None


def is_known_address(db: Database, channel: str, address: Address) -> bool:
    """Tell whether somebody on a channel is known by an address."""
    row = db.execute(
        "SELECT 1 FROM addresses WHERE channel = ? AND scheme = ? AND value = ? AND scope = ?",
        (channel, address.scheme, address.value, address.scope),
    ).fetchone()
    return row is not None


def signature(profile: Profile) -> str:
    """Give all that a channel tells of a person as one text: as long as it is the same nothing has to be looked up."""
    address = profile.address
    told = [address.scheme, address.value, address.scope, profile.name, profile.first_name, profile.last_name,
            profile.picture, profile.locale]  # fmt: skip
    for alias in profile.aliases:
        told += (alias.scheme, alias.value)
    return visible("\x1f".join(told))


def save_profile(db: Database, channel: str, connection: str, profile: Profile, at: int) -> int:
    """Record a person, or what is new of them: found by any address they are known by; give the profile's id."""
    found = None
    addresses = (profile.address, *profile.aliases)
    for one in addresses:
        found = (
            found
            or db.execute(
                "SELECT profile FROM addresses WHERE channel = ? AND scheme = ? AND value = ? AND scope = ?",
                (channel, one.scheme, one.value, one.scope),
            ).fetchone()
        )
    address = profile.address
    told = tuple(visible(one) for one in (
        address.scheme, address.value, address.scope, address.display, profile.name, profile.first_name,
        profile.last_name, profile.picture, profile.locale, signature(profile),
    ))  # fmt: skip
    if found is None:
        number = db.insert(
            "INSERT INTO profiles (scheme, value, scope, display, name, first_name, last_name, picture, locale, seen,"
            " channel, created_at, dropped) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,0)",
            (*told, channel, at),
        )
        if not (profile.name or profile.first_name or profile.last_name):
            jobs.add(db, "profile", connection, number, at)
    else:
        (number,) = found
        db.execute(  # what is not told this time stays as it is known
            "UPDATE profiles SET scheme = ?, value = ?, scope = ?, display = coalesce(nullif(?, ''), display),"
            " name = coalesce(nullif(?, ''), name),"
            " first_name = coalesce(nullif(?, ''), first_name), last_name = coalesce(nullif(?, ''), last_name),"
            " picture = coalesce(nullif(?, ''), picture), locale = coalesce(nullif(?, ''), locale), seen = ?"
            " WHERE id = ?",
            (*told, number),
        )
    for one in addresses:
        db.execute(
            "INSERT INTO addresses (channel, scheme, value, scope, profile) VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING",
            (channel, one.scheme, one.value, one.scope, number),
        )
    return number


def _is_known(db: Database, connection: str, key: str) -> bool:
    row = db.execute("SELECT 1 FROM messages WHERE connection = ? AND key = ?", (connection, key)).fetchone()
    return row is not None


def _await_media(db: Database, connection: str, message: int, parts: tuple[Part, ...], at: int) -> None:
    """Note the files of a message, to be fetched after the acknowledgement."""
    for number, media in enumerate(map(file_of, parts)):
        if media is not None:
            added = db.insert(
                "INSERT INTO media (message, part, connection, payload, state, file, reason)"
                " VALUES (?,?,?,?,'pending','','')",
                (message, number, connection, json_of(media)),
            )
            jobs.add(db, "media", connection, added, at)

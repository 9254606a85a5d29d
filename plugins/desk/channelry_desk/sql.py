"""The statements of the hot path, in plain SQL; a test runs each against the schema."""

from .database import Given

REQUEST = (
    "INSERT INTO journal (id, connection, received_at, method, path, public_url, headers, body)"
    " VALUES (?,?,?,?,?,?,?,?)"
)

LAST_REQUEST = """
SELECT max(id) FROM (
    SELECT max(id) AS id FROM journal
    UNION ALL SELECT CAST(value AS BIGINT) FROM state WHERE owner = 'desk' AND key = 'journal'
) AS given
"""
"""The highest number that a request was given, though it may have left the journal."""

FORGOTTEN = """
INSERT INTO state (owner, key, value) VALUES ('desk', 'journal', ?)
ON CONFLICT (owner, key) DO UPDATE SET value = excluded.value
WHERE CAST(excluded.value AS BIGINT) > CAST(state.value AS BIGINT)
"""

REQUESTS = Given(
    "id INTEGER, connection TEXT, received_at INTEGER, method TEXT, path TEXT, public_url TEXT, headers BLOB,"
    " body BLOB",
    "INSERT INTO journal (id, connection, received_at, method, path, public_url, headers, body) SELECT * FROM given",
)

UNREQUEST = "DELETE FROM journal WHERE id = ?"

USUAL = Given(
    "connection TEXT, key TEXT, external_id TEXT, channel TEXT, scheme TEXT, value TEXT, scope TEXT, seen TEXT,"
    " occurred_at INTEGER, recorded_at INTEGER, text TEXT, payload TEXT, journal INTEGER",
    """
    INSERT INTO messages (conversation, connection, key, external_id, direction, author, occurred_at, recorded_at,
        text, payload, journal)
    SELECT c.id, g.connection, g.key, nullif(g.external_id, g.key), 'in', '', g.occurred_at, g.recorded_at, g.text,
        g.payload, g.journal
    FROM given g CROSS JOIN addresses a CROSS JOIN profiles p CROSS JOIN conversations c
    WHERE a.channel = g.channel AND a.scheme = g.scheme AND a.value = g.value AND a.scope = g.scope
        AND p.id = a.profile AND p.seen = g.seen
        AND c.profile = p.id AND c.connection = g.connection AND c.place = '' AND c.ended_at IS NULL
        AND c.state <> 'waiting' AND g.recorded_at <= c.expires_at
        AND NOT EXISTS (
            SELECT 1 FROM events e WHERE e.connection = g.connection AND e.subject = g.external_id AND e.settled = 0)
    ON CONFLICT DO NOTHING
    """,
)
"""Of some messages the usual ones: whose writer is known as they are told, whose conversation is open and waits for
nobody, and about which nothing came before themselves. (Who is barred has no open conversation.) In the order of these
joins SQLite looks things up."""

OF_WHICH = "SELECT journal FROM messages WHERE id > ? ORDER BY id LIMIT ?"
APPENDED = f"SELECT count(*) FROM ({OF_WHICH}) AS appended"
"""Of the messages after one, so many at most: a writer's transaction is alone, so they are those that it has appended.
(Without the limit PostgreSQL reads the whole table where it has no statistics, as after an upgrade.)"""

TOUCH_ALL = Given(
    "last INTEGER",
    """
    UPDATE conversations SET
        last_message_at = CASE WHEN last_message_at > n.at THEN last_message_at ELSE n.at END,
        last_customer_at = CASE WHEN last_customer_at > n.at THEN last_customer_at ELSE n.at END,
        expires_at = CASE WHEN last_customer_at > n.at THEN expires_at ELSE n.at + open_for END,
        last_inbound_at = CASE WHEN last_inbound_at > n.occurred_at THEN last_inbound_at ELSE n.occurred_at END
    FROM (
        SELECT m.conversation + 0 AS conversation, max(m.recorded_at) AS at, max(m.occurred_at) AS occurred_at
        FROM given g CROSS JOIN messages m WHERE m.id > g.last GROUP BY m.conversation + 0
    ) AS n WHERE conversations.id = n.conversation
    """,
)
"""What they do to their conversations. (`+ 0` keeps SQLite from reading its index of all conversations' messages.)"""

LOG_ALL = Given(
    "last INTEGER",
    """
    INSERT INTO log (at, who, kind, subject, what, why, data)
    SELECT m.recorded_at, 0, 'message', m.id, 'received', '', '{"conversation":' || m.conversation || '}'
    FROM given g CROSS JOIN messages m WHERE m.id > g.last ORDER BY m.id + 0
    """,
)
"""(`+ 0` keeps PostgreSQL from reading all messages because they are in this order.)"""

FIND = """
SELECT p.id, p.seen, c.id, c.state, c.open_for, c.expires_at,
    EXISTS (SELECT 1 FROM events e WHERE e.connection = ?1 AND e.subject = ?2 AND e.settled = 0),
    p.barred_at IS NOT NULL OR EXISTS (SELECT 1 FROM customers u WHERE u.id = p.customer AND u.barred_at IS NOT NULL)
FROM addresses a JOIN profiles p ON p.id = a.profile
LEFT JOIN conversations c ON c.profile = p.id AND c.connection = ?1 AND c.place = ?3 AND c.ended_at IS NULL
WHERE a.channel = ?4 AND a.scheme = ?5 AND a.value = ?6 AND a.scope = ?7
"""
"""The recorded profile of an address, its open conversation, whether something about the message came before it, and
whether the person is barred."""

BARRED = """
SELECT p.id FROM addresses a JOIN profiles p ON p.id = a.profile LEFT JOIN customers u ON u.id = p.customer
WHERE a.channel = ? AND a.scheme = ? AND a.value = ? AND a.scope = ?
    AND (p.barred_at IS NOT NULL OR u.barred_at IS NOT NULL)
"""
DROPPED = "UPDATE profiles SET dropped = dropped + 1 WHERE id = ?"

APPEND = """
INSERT INTO messages
    (conversation, connection, key, external_id, direction, author, occurred_at, recorded_at, text, payload, journal)
VALUES (?,?,?,?,'in','',?,?,?,?,?) ON CONFLICT DO NOTHING
"""

TOUCH = """
UPDATE conversations SET
    last_message_at = CASE WHEN last_message_at > ?1 THEN last_message_at ELSE ?1 END,
    last_customer_at = CASE WHEN last_customer_at > ?1 THEN last_customer_at ELSE ?1 END,
    expires_at = CASE WHEN last_customer_at > ?1 THEN expires_at ELSE ?2 END,
    last_inbound_at = CASE WHEN last_inbound_at > ?3 THEN last_inbound_at ELSE ?3 END
WHERE id = ?4
"""

OPEN = """
INSERT INTO conversations (connection, profile, place, surface, type, state, queue, hold, description, version,
    opened_by, opened_at, open_for, expires_at, due_at, last_message_at, worked, reason, language)
VALUES (?1,?2,?3,?4,?5,'pending',?6,'','',1,?7,?8,?9,?10,?10,?8,0,'','')
"""

RECOGNIZE = """
INSERT INTO jobs (kind, connection, subject, attempts, due_at, reason)
SELECT 'recognize', ?1, p.id, 0, CAST(?2 AS BIGINT), '' FROM profiles p WHERE p.id = ?3 AND p.customer IS NULL
ON CONFLICT (kind, subject) DO UPDATE SET due_at = excluded.due_at, attempts = 0
"""

LOG = "INSERT INTO log (at, who, kind, subject, what, why, data) VALUES (?,?,?,?,?,?,?)"
LAST = f"SELECT ({LAST_REQUEST}), (SELECT max(id) FROM messages)"

EVENT = """
INSERT INTO events (connection, key, type, subject, reference, occurred_at, journal, payload, settled)
VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING
"""

CLAIM = """
UPDATE calls SET state = 'sending', due_at = ?, token = token + 1, attempt = attempt + 1, sent_at = ?
WHERE id = ? AND token = ? AND state IN ('ready', 'retry') AND head = 1
"""

SETTLE = """
UPDATE calls SET state = ?, due_at = ?, code = ?, reason = ?, head = ?, status = coalesce(?, status)
WHERE id = ? AND token = ? AND state IN ('sending', 'ambiguous')
"""

ACCEPT_LATE = """
UPDATE calls SET state = 'accepted', due_at = NULL, head = NULL, status = ?
WHERE id = ? AND token = ? AND state IN ('ready', 'retry', 'uncertain')
"""

NEXT_HEAD = """
UPDATE calls SET head = 1
WHERE id = (SELECT min(id) FROM calls WHERE conversation = ? AND head IS NOT NULL)
"""

ACCEPTED = """
SELECT c.state, c.token, c.status, c.sent_at, c.key, v.profile, p.read_until, p.delivered_until,
    EXISTS (SELECT 1 FROM events e WHERE e.connection = c.connection AND e.subject = ?2 AND e.settled = 0)
    OR EXISTS (SELECT 1 FROM events e
        WHERE e.connection = c.connection AND e.reference = c.key AND e.reference <> '' AND e.settled = 0),
    EXISTS (SELECT 1 FROM calls n WHERE n.conversation = c.conversation AND n.head IS NOT NULL AND n.id <> c.id),
    CASE WHEN m.direction = 'act' THEN m.payload END
FROM calls c JOIN conversations v ON v.id = c.conversation JOIN profiles p ON p.id = v.profile
JOIN messages m ON m.id = c.message WHERE c.id = ?1
"""
"""What decides about a call that the provider took: whether something about it came before, and whether others wait."""

ACCEPT = """
UPDATE calls SET state = 'accepted', due_at = NULL, code = '', reason = '', head = NULL, status = ? WHERE id = ?
"""

RECEIPT = "INSERT INTO receipts (connection, external_id, call) VALUES (?,?,?) ON CONFLICT DO NOTHING"

DUE = """
SELECT id, conversation, connection, payload, state, token, attempt, lookups, window_until, due_at, created_at,
    doubted_at
FROM calls WHERE head = 1 AND connection = ? AND due_at <= ? ORDER BY due_at, id LIMIT ?
"""

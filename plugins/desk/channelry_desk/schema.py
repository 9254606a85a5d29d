"""The tables, as one list of scripts: the database's `user_version` tells how many of them it has had.

Times are whole microseconds since 1970, UTC. `key` columns and `receipts` are permanent: they are what keeps a
redelivery from becoming a second row. Text has no NUL; what came with one shows ␀.
"""

SCRIPTS = (
    """
    CREATE TABLE users (  -- who works here; `invitation`: hash of the token by which a password is set, '' afterwards
        id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, first_name TEXT NOT NULL, last_name TEXT NOT NULL,
        short_code TEXT NOT NULL, password TEXT NOT NULL, invitation TEXT NOT NULL, invited_until INTEGER,
        present INTEGER NOT NULL, disabled_at INTEGER, created_at INTEGER NOT NULL,
        version INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX invitations ON users (invitation) WHERE invitation <> '';
    CREATE TABLE accesses (
        member INTEGER NOT NULL REFERENCES users, level TEXT NOT NULL, PRIMARY KEY (member, level)
    ) WITHOUT ROWID;
    CREATE TABLE grants (
        member INTEGER NOT NULL REFERENCES users, connection TEXT NOT NULL, PRIMARY KEY (member, connection)
    ) WITHOUT ROWID;
    CREATE TABLE user_groups (  -- groups of users, in a hierarchy
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, parent INTEGER REFERENCES user_groups
    );
    CREATE TABLE group_members (
        user_group INTEGER NOT NULL REFERENCES user_groups, member INTEGER NOT NULL REFERENCES users,
        PRIMARY KEY (user_group, member)
    ) WITHOUT ROWID;
    CREATE TABLE queues (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE queue_members (
        queue INTEGER NOT NULL REFERENCES queues, member INTEGER NOT NULL REFERENCES users, PRIMARY KEY (queue, member)
    ) WITHOUT ROWID;
    CREATE TABLE policies (  -- of a connection ('': any) and a queue (0: any); NULL leaves it to a wider one
        connection TEXT NOT NULL, queue INTEGER NOT NULL, open_for INTEGER, wrap_up INTEGER, route_to INTEGER,
        version INTEGER NOT NULL, PRIMARY KEY (connection, queue)
    ) WITHOUT ROWID;
    CREATE TABLE log (  -- what changed, in order: appended to, never changed; it holds nothing that customers wrote
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who INTEGER NOT NULL, kind TEXT NOT NULL,
        subject INTEGER NOT NULL, what TEXT NOT NULL, why TEXT NOT NULL, data TEXT NOT NULL
    );
    CREATE INDEX log_of_subject ON log (kind, subject, id) WHERE kind NOT IN ('message', 'call');
    CREATE TABLE journal (  -- the verified raw requests; `headers` is name NUL value NUL …
        id INTEGER PRIMARY KEY, connection TEXT NOT NULL, received_at INTEGER NOT NULL, method TEXT NOT NULL,
        path TEXT NOT NULL, public_url TEXT NOT NULL, headers BLOB NOT NULL, body BLOB NOT NULL
    );
    CREATE TABLE dead_letters (  -- what could not be understood or applied
        id INTEGER PRIMARY KEY, connection TEXT NOT NULL, key TEXT NOT NULL, journal INTEGER, type TEXT NOT NULL,
        reason TEXT NOT NULL, recorded_at INTEGER NOT NULL, settled_at INTEGER, UNIQUE (connection, key)
    );
    CREATE TABLE companies (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, phone TEXT NOT NULL, address TEXT NOT NULL,
        contact INTEGER, version INTEGER NOT NULL, created_at INTEGER NOT NULL
    );
    CREATE TABLE customers (  -- `merged_into`: who they turned out to be
        id INTEGER PRIMARY KEY, first_name TEXT NOT NULL, last_name TEXT NOT NULL, email TEXT NOT NULL,
        phone TEXT NOT NULL, company INTEGER REFERENCES companies, address TEXT NOT NULL, version INTEGER NOT NULL,
        barred_at INTEGER, merged_into INTEGER REFERENCES customers, created_at INTEGER NOT NULL
    );
    CREATE INDEX customers_of_company ON customers (company) WHERE company IS NOT NULL;
    CREATE INDEX merged_customers ON customers (merged_into) WHERE merged_into IS NOT NULL;
    CREATE TABLE customer_words (  -- what a customer is found by, folded: names, e-mail address, phone; as UTF-8
        word BLOB NOT NULL, customer INTEGER NOT NULL REFERENCES customers, PRIMARY KEY (word, customer)
    ) WITHOUT ROWID;
    CREATE INDEX words_of_customer ON customer_words (customer);
    CREATE TABLE matches (  -- which customer a recognizer's id stands for
        reference TEXT PRIMARY KEY, customer INTEGER NOT NULL REFERENCES customers
    ) WITHOUT ROWID;
    CREATE TABLE profiles (  -- one person on one channel; scheme, value, scope: where we write to; `dropped`: barred
        id INTEGER PRIMARY KEY, channel TEXT NOT NULL, scheme TEXT NOT NULL, value TEXT NOT NULL,
        scope TEXT NOT NULL, display TEXT NOT NULL, name TEXT NOT NULL, first_name TEXT NOT NULL,
        last_name TEXT NOT NULL, picture TEXT NOT NULL, locale TEXT NOT NULL, seen TEXT NOT NULL,
        customer INTEGER REFERENCES customers, candidate TEXT, barred_at INTEGER, dropped INTEGER NOT NULL,
        opted_out_at INTEGER, read_until INTEGER, delivered_until INTEGER, created_at INTEGER NOT NULL
    );
    CREATE INDEX profiles_of_customer ON profiles (customer) WHERE customer IS NOT NULL;
    CREATE TABLE addresses (
        channel TEXT NOT NULL, scheme TEXT NOT NULL, value TEXT NOT NULL, scope TEXT NOT NULL,
        profile INTEGER NOT NULL REFERENCES profiles, PRIMARY KEY (channel, scheme, value, scope)
    ) WITHOUT ROWID;
    CREATE INDEX addresses_of_profile ON addresses (profile);
    CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, retired_at INTEGER);
    CREATE TABLE subjects (  -- in three levels; `parent` 0: of the first one
        id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, level INTEGER NOT NULL, name TEXT NOT NULL,
        retired_at INTEGER, UNIQUE (parent, name)
    );
    CREATE TABLE skills (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, retired_at INTEGER);
    CREATE TABLE fields (  -- `choices`: one a line; `initial`: what a conversation has of it before somebody says
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, choices TEXT NOT NULL,
        initial TEXT NOT NULL, editable INTEGER NOT NULL, retired_at INTEGER
    );
    CREATE TABLE answers (  -- quick answers; `files`: names of kept files, one a line
        id INTEGER PRIMARY KEY, category TEXT NOT NULL, title TEXT NOT NULL, language TEXT NOT NULL,
        text TEXT NOT NULL, files TEXT NOT NULL, retired_at INTEGER, version INTEGER NOT NULL,
        UNIQUE (category, title, language)
    );
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE files (  -- what users uploaded, under the names they have on the disk
        name TEXT PRIMARY KEY, title TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL,
        member INTEGER NOT NULL, at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE conversations (  -- `ended_at`: the customer's next message belongs to another one
        id INTEGER PRIMARY KEY, connection TEXT NOT NULL, profile INTEGER NOT NULL REFERENCES profiles,
        place TEXT NOT NULL, surface TEXT NOT NULL, type TEXT NOT NULL, state TEXT NOT NULL, assignee INTEGER,
        queue INTEGER REFERENCES queues, hold TEXT NOT NULL, description TEXT NOT NULL, version INTEGER NOT NULL,
        opened_by INTEGER, opened_at INTEGER NOT NULL, open_for INTEGER NOT NULL, expires_at INTEGER NOT NULL,
        due_at INTEGER, last_customer_at INTEGER, last_inbound_at INTEGER, last_message_at INTEGER NOT NULL,
        assigned_at INTEGER, responded_at INTEGER, worked INTEGER NOT NULL, working_since INTEGER, ended_at INTEGER,
        closed_at INTEGER, archived_at INTEGER, reason TEXT NOT NULL, language TEXT NOT NULL, sentiment REAL,
        subject INTEGER REFERENCES subjects
    );
    CREATE UNIQUE INDEX open_conversations ON conversations (profile, connection, place) WHERE ended_at IS NULL;
    CREATE INDEX open_places ON conversations (connection, place) WHERE ended_at IS NULL AND place <> '';
    CREATE INDEX pending_conversations ON conversations (id) WHERE state = 'pending';
    CREATE INDEX held_conversations ON conversations (assignee, id) WHERE closed_at IS NULL AND assignee IS NOT NULL;
    CREATE INDEX closed_conversations ON conversations (assignee, id) WHERE closed_at IS NOT NULL;
    CREATE INDEX social_conversations ON conversations (id) WHERE surface IN ('comment', 'mention');
    CREATE INDEX due_conversations ON conversations (due_at) WHERE due_at IS NOT NULL;
    CREATE INDEX conversations_of_profile ON conversations (profile, id);
    CREATE INDEX conversations_of_connection ON conversations (connection, id);
    CREATE INDEX conversations_of_subject ON conversations (subject, id) WHERE subject IS NOT NULL;
    CREATE INDEX conversations_of_state ON conversations (state, id) WHERE closed_at IS NULL;
    CREATE INDEX conversations_of_assignee ON conversations (assignee, id) WHERE assignee IS NOT NULL;
    CREATE INDEX opened_conversations ON conversations (opened_at);
    CREATE TABLE conversation_tags (
        conversation INTEGER NOT NULL REFERENCES conversations, tag INTEGER NOT NULL REFERENCES tags,
        PRIMARY KEY (conversation, tag)
    ) WITHOUT ROWID;
    CREATE INDEX conversations_of_tag ON conversation_tags (tag, conversation);
    CREATE TABLE conversation_skills (
        conversation INTEGER NOT NULL REFERENCES conversations, skill INTEGER NOT NULL REFERENCES skills,
        PRIMARY KEY (conversation, skill)
    ) WITHOUT ROWID;
    CREATE TABLE field_values (
        conversation INTEGER NOT NULL REFERENCES conversations, field INTEGER NOT NULL REFERENCES fields,
        value TEXT NOT NULL, PRIMARY KEY (conversation, field)
    ) WITHOUT ROWID;
    CREATE TABLE notes (  -- for colleagues: hand-over, reminder
        id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL REFERENCES conversations, member INTEGER NOT NULL,
        at INTEGER NOT NULL, text TEXT NOT NULL
    );
    CREATE INDEX notes_of_conversation ON notes (conversation);
    CREATE TABLE visits (  -- what a customer did else than write; `told`: a JSON object
        id INTEGER PRIMARY KEY, profile INTEGER NOT NULL REFERENCES profiles, connection TEXT NOT NULL,
        name TEXT NOT NULL, at INTEGER NOT NULL, told TEXT NOT NULL
    );
    CREATE INDEX visits_of_profile ON visits (profile, at);
    CREATE TABLE shares (
        conversation INTEGER NOT NULL REFERENCES conversations, member INTEGER NOT NULL REFERENCES users,
        PRIMARY KEY (conversation, member)
    ) WITHOUT ROWID;
    CREATE INDEX shares_of_member ON shares (member, conversation);
    CREATE TABLE intervals (  -- who worked on a conversation, when
        id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL REFERENCES conversations, member INTEGER NOT NULL,
        began_at INTEGER NOT NULL, ended_at INTEGER NOT NULL
    );
    CREATE INDEX intervals_of_conversation ON intervals (conversation);
    CREATE TABLE tasks (  -- incidents, cases and requests; `store`: the plugin that keeps it, '' if we do
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
        store TEXT NOT NULL, reference TEXT NOT NULL, url TEXT NOT NULL
    );
    CREATE UNIQUE INDEX stored_tasks ON tasks (store, reference) WHERE reference <> '';
    CREATE TABLE related_tasks (
        conversation INTEGER NOT NULL REFERENCES conversations, task INTEGER NOT NULL REFERENCES tasks,
        how TEXT NOT NULL, member INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (conversation, task, how)
    ) WITHOUT ROWID;
    CREATE TABLE messages (  -- `payload`: the whole event or action as JSON, NULL for a plain text that came in;
        -- `confidence`: of the language; `…_by`: the provider that judged and its version
        -- what follows behind goes by the id, so that of a message that was deleted is not given again
        id INTEGER PRIMARY KEY AUTOINCREMENT, conversation INTEGER NOT NULL REFERENCES conversations,
        connection TEXT NOT NULL, key TEXT NOT NULL, external_id TEXT, direction TEXT NOT NULL, author TEXT NOT NULL,
        occurred_at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, text TEXT NOT NULL, payload TEXT,
        journal INTEGER, edited_at INTEGER, deleted_at INTEGER, hidden_at INTEGER,
        language TEXT, confidence REAL, language_by TEXT, sentiment REAL, sentiment_by TEXT, UNIQUE (connection, key)
    );
    CREATE INDEX messages_of_conversation ON messages (conversation);
    CREATE INDEX messages_by_external_id ON messages (connection, external_id) WHERE external_id IS NOT NULL;
    CREATE TABLE events (  -- whatever else happened; `settled` = 0 waits for what it is about
        id INTEGER PRIMARY KEY, connection TEXT NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL,
        reference TEXT NOT NULL, occurred_at INTEGER NOT NULL, journal INTEGER, payload TEXT NOT NULL,
        settled INTEGER NOT NULL, UNIQUE (connection, key)
    );
    CREATE INDEX early_events ON events (connection, subject) WHERE settled = 0;
    CREATE INDEX early_references ON events (connection, reference) WHERE settled = 0 AND reference <> '';
    CREATE INDEX edits ON events (connection, subject) WHERE type = 'MessageEdited';
    CREATE TABLE reactions (  -- the last word of one person on one emoji at one message; '': on all of them
        connection TEXT NOT NULL, external_id TEXT NOT NULL, actor TEXT NOT NULL, emoji TEXT NOT NULL,
        active INTEGER NOT NULL, occurred_at INTEGER NOT NULL, reaction_id TEXT NOT NULL,
        PRIMARY KEY (connection, external_id, actor, emoji)
    ) WITHOUT ROWID;
    CREATE INDEX reactions_by_id ON reactions (connection, reaction_id) WHERE reaction_id <> '';
    CREATE TABLE media (
        id INTEGER PRIMARY KEY, message INTEGER NOT NULL REFERENCES messages, part INTEGER NOT NULL,
        connection TEXT NOT NULL, payload TEXT NOT NULL, state TEXT NOT NULL, file TEXT NOT NULL,
        reason TEXT NOT NULL, UNIQUE (message, part)
    );
    CREATE INDEX media_by_file ON media (file) WHERE file <> '';
    CREATE TABLE jobs (  -- work after the acknowledgement; a row goes when it is done, and its id with it
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, connection TEXT NOT NULL, subject INTEGER NOT NULL,
        attempts INTEGER NOT NULL, due_at INTEGER, reason TEXT NOT NULL, UNIQUE (kind, subject)
    );
    CREATE INDEX jobs_due ON jobs (kind, due_at) WHERE due_at IS NOT NULL;
    CREATE TABLE calls (  -- the outbox; `head`: the first of its conversation that is not settled; `doubted_at`: when
        -- one that is sent again was sent whose answer was lost first
        id INTEGER PRIMARY KEY, message INTEGER NOT NULL REFERENCES messages,
        conversation INTEGER NOT NULL REFERENCES conversations, connection TEXT NOT NULL, key TEXT NOT NULL,
        payload TEXT NOT NULL, state TEXT NOT NULL, head INTEGER, due_at INTEGER, attempt INTEGER NOT NULL,
        token INTEGER NOT NULL, lookups INTEGER NOT NULL, window_until INTEGER, sent_at INTEGER, status TEXT NOT NULL,
        code TEXT NOT NULL, reason TEXT NOT NULL, decided_by TEXT NOT NULL, created_at INTEGER NOT NULL,
        doubted_at INTEGER, UNIQUE (connection, key)
    );
    CREATE INDEX calls_of_lane ON calls (conversation, id) WHERE head IS NOT NULL;
    CREATE INDEX calls_of_conversation ON calls (conversation, id);
    CREATE INDEX calls_due ON calls (connection, due_at) WHERE head = 1;
    CREATE INDEX calls_of_message ON calls (message);
    CREATE INDEX uncertain_calls ON calls (id) WHERE state = 'uncertain';
    CREATE TABLE receipts (
        connection TEXT NOT NULL, external_id TEXT NOT NULL, call INTEGER NOT NULL REFERENCES calls,
        PRIMARY KEY (connection, external_id)
    ) WITHOUT ROWID;
    CREATE INDEX receipts_of_call ON receipts (call);
    CREATE TABLE state (
        owner TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (owner, key)
    ) WITHOUT ROWID;
    """,
)

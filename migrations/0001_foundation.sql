-- The tables everything stands on. Names are the words of the product (tenant, device, chat, message, outbox, pairing);
-- `device_id` is always the public uuid, `device_no` the int4 that narrow rows carry instead of it.
-- Every table names its tenant, so that every query can.

CREATE TABLE tenants (
    id              int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL UNIQUE CHECK (name <> ''),
    -- what POST /devices uses when it names no network
    default_network text NOT NULL DEFAULT 'whatsapp' CHECK (default_network IN ('whatsapp', 'loopback')),
    created_at      timestamptz NOT NULL DEFAULT now()
);

-- A person. Membership in a tenant gives the role; one person may belong to several tenants (own workspace and demo).
CREATE TABLE users (
    id            int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text NOT NULL UNIQUE CHECK (email = lower(email)),
    name          text NOT NULL,
    password_hash text NOT NULL,
    time_zone     text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz
);

CREATE TABLE members (
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    user_id    int8 NOT NULL REFERENCES users ON DELETE CASCADE,
    role       text NOT NULL CHECK (role IN ('admin', 'agent', 'viewer')),
    -- NULL: every device of the tenant; else only these (agents and viewers)
    device_ids uuid[],
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

-- Browser logins. ("session" is a device's live connection everywhere in wafast.)
CREATE TABLE logins (
    token_hash bytea PRIMARY KEY,
    user_id    int8 NOT NULL REFERENCES users ON DELETE CASCADE,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX logins_by_user ON logins (user_id);

CREATE TABLE login_failures (
    subject   text NOT NULL,              -- 'email:…' or 'address:…'
    failed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_failures_by_subject ON login_failures (subject, failed_at);

CREATE TABLE api_keys (
    id           int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    name         text NOT NULL,
    prefix       text NOT NULL,           -- the first characters, to recognise a key by
    key_hash     bytea NOT NULL UNIQUE,   -- sha256 of the whole key
    scope        text NOT NULL CHECK (scope IN ('read', 'send', 'admin')),
    device_ids   uuid[],                  -- NULL: every device of the tenant
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at   timestamptz
);
CREATE INDEX api_keys_by_tenant ON api_keys (tenant_id);

CREATE TABLE audit_log (
    id        int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    at        timestamptz NOT NULL DEFAULT now(),
    actor     text NOT NULL,              -- 'user:7', 'key:3', 'system'
    action    text NOT NULL,              -- 'device.create'
    subject   text NOT NULL,              -- 'device:0b9f…'
    detail    jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_by_tenant ON audit_log (tenant_id, id DESC);

CREATE TABLE idempotency_keys (
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    key        text NOT NULL,
    route      text NOT NULL,             -- 'POST /messages'
    body_hash  bytea NOT NULL,
    status     int4,                      -- NULL while the first request still runs
    response   bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE devices (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    no            int4 GENERATED ALWAYS AS IDENTITY UNIQUE,
    tenant_id     int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    name          text NOT NULL CHECK (name <> ''),
    network       text NOT NULL CHECK (network IN ('whatsapp', 'loopback')),
    tags          text[] NOT NULL DEFAULT '{}',
    proxy         text,
    -- state has one writer, the holder of the lease; desired_state is the reconciler's only input
    state         text NOT NULL DEFAULT 'new' CHECK (state IN
                  ('new', 'pairing', 'connecting', 'online', 'offline', 'logged_out', 'banned', 'replaced', 'outdated')),
    state_reason  text,
    state_at      timestamptz NOT NULL DEFAULT now(),
    desired_state text NOT NULL DEFAULT 'disconnected' CHECK (desired_state IN ('connected', 'disconnected', 'logged_out')),
    -- reconnecting: not before this instant, after that many failures in a row
    retry_at      timestamptz,
    failures      int4 NOT NULL DEFAULT 0,
    -- identity: write-once per pairing
    phone         text,                   -- E.164 with '+'
    jid           text,                   -- phone-number JID, without device suffix
    lid           text,
    wa_device     int4,                   -- WhatsApp's number of this linked device
    store         text,                   -- session file, relative to <data dir>/sessions; a new one per pairing
    push_name     text,
    paired_at     timestamptz,
    online_at     timestamptz,            -- last time it came online
    -- pacing: one clock and its counters per device, moved only by the claim
    min_seconds   real NOT NULL DEFAULT 5  CHECK (min_seconds >= 0),
    max_seconds   real NOT NULL DEFAULT 15,
    per_hour      int4 NOT NULL DEFAULT 80  CHECK (per_hour > 0),
    per_day       int4 NOT NULL DEFAULT 800 CHECK (per_day > 0),
    typing        bool NOT NULL DEFAULT true,
    ramp          bool NOT NULL DEFAULT true,
    next_send_at  timestamptz NOT NULL DEFAULT '-infinity',
    hour_start    timestamptz NOT NULL DEFAULT '-infinity',
    hour_count    int4 NOT NULL DEFAULT 0,
    day_start     timestamptz NOT NULL DEFAULT '-infinity',
    day_count     int4 NOT NULL DEFAULT 0,
    paused_until  timestamptz,            -- set by WhatsApp's own limits (463, reach-out lock, temporary ban)
    pause_reason  text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CHECK (max_seconds >= min_seconds)
);
CREATE INDEX devices_by_tenant ON devices (tenant_id, no DESC);
CREATE UNIQUE INDEX devices_one_per_number ON devices (tenant_id, network, jid) WHERE jid IS NOT NULL;

-- Processes that hold devices. A lease lives as long as its worker's expires_at: one row renewed per worker and beat,
-- however many devices it holds.
CREATE TABLE workers (
    id         uuid PRIMARY KEY,
    network    text NOT NULL CHECK (network IN ('whatsapp', 'loopback')),
    node       text NOT NULL,
    pid        int4 NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);

-- epoch only ever grows, also over releases: every write a session makes carries it and is refused when it is old.
CREATE TABLE leases (
    device_no int4 PRIMARY KEY REFERENCES devices (no) ON DELETE CASCADE,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    worker_id uuid REFERENCES workers ON DELETE SET NULL,   -- NULL: released
    epoch     int8 NOT NULL DEFAULT 1,
    since     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX leases_by_worker ON leases (worker_id);

CREATE TABLE pairings (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    device_no  int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    method     text NOT NULL CHECK (method IN ('qr', 'code')),
    phone      text CHECK ((method = 'code') = (phone IS NOT NULL)),
    state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'paired', 'failed', 'expired')),
    reason     text,
    qr         text,
    code       text,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at   timestamptz,
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX pairings_one_waiting ON pairings (device_no) WHERE state = 'waiting';

CREATE TABLE chats (
    id           int8 GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    tenant_id    int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    device_no    int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    jid          text NOT NULL,           -- phone-number JID when known, else the LID, or a group
    name         text,                    -- best known: contact's, group's subject, push name
    is_group     bool NOT NULL DEFAULT false,
    last_key     int8,                    -- messages.key of the newest message shown; NULL before the first
    last_kind    int2,
    last_flags   int2,
    last_text    text,                    -- the preview: at most 200 characters
    last_sender  text,                    -- sender's name, for groups
    last_status  int2,
    unread       int4 NOT NULL DEFAULT 0 CHECK (unread >= 0),
    read_key     int8,                    -- up to here it is read
    stored       int4 NOT NULL DEFAULT 0, -- rows in messages
    floor_key    int8 NOT NULL DEFAULT (-9223372036854775808),  -- rows at or below are trimmed: the view hides them
    pinned_at    timestamptz,
    muted_until  timestamptz,
    archived     bool NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (device_no, jid)
) WITH (fillfactor = 75);
CREATE INDEX chats_by_activity ON chats (device_no, last_key DESC) WHERE last_key IS NOT NULL;

-- key = timestamp << 32 | hash32(message_id): the only btree, and it dedupes, gives the newest N, and finds by id.
-- No foreign keys: a check per row would cost the write path a third; the writer locks the chat row it counts on instead,
-- and deleting a device deletes its messages in the same transaction.
CREATE TABLE messages (
    chat_id    int8 NOT NULL,
    key        int8 NOT NULL,
    created_at timestamptz NOT NULL,
    sender     int8 NOT NULL DEFAULT 0,   -- user part of the JID << 3 | server (0 s.whatsapp.net, 1 lid, 2 g.us, 7 none); 0: none
    device_no  int4 NOT NULL,
    tenant_id  int4 NOT NULL,
    kind       int2 NOT NULL,             -- message_kind()
    flags      int2 NOT NULL,             -- 1 from_me, 2 ephemeral, 4 view once, 8 forwarded, 16 pinned
    status     int2 NOT NULL,             -- message_status()
    message_id text NOT NULL,
    sender_name text,
    body       text NOT NULL DEFAULT '',
    media      jsonb,                     -- mime, ext, size, sha256, direct_path, media_key, enc_sha256, width, height, seconds, name
    quoted     text,
    reactions  jsonb,
    poll_votes jsonb,
    edited_at  timestamptz,
    deleted_at timestamptz,
    PRIMARY KEY (chat_id, key)
);
CREATE INDEX messages_by_arrival ON messages USING brin (created_at);

CREATE TABLE thumbnails (
    chat_id   int8 NOT NULL,
    key       int8 NOT NULL,
    tenant_id int4 NOT NULL,
    jpeg      bytea NOT NULL,
    PRIMARY KEY (chat_id, key)
);

-- Full files, once fetched from WhatsApp or uploaded here; the bytes lie under <data dir>/media by content hash.
CREATE TABLE media (
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    sha256     bytea NOT NULL CHECK (length(sha256) = 32),
    mime       text NOT NULL,
    size       int8 NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    viewed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, sha256)
);

-- Which number a LID belongs to, as a device's own session has learned it.
CREATE TABLE lid_numbers (
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    device_no int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    lid       int8 NOT NULL,
    number    int8 NOT NULL,
    PRIMARY KEY (device_no, lid)
);

-- Receipts, edits, reactions and the like whose message has not come yet. Kept a day.
CREATE TABLE pending_changes (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  int4 NOT NULL,
    device_no  int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    chat_id    int8 NOT NULL,
    message_id text NOT NULL,
    change     jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX pending_changes_by_message ON pending_changes (chat_id, message_id);

-- The only queue: everything that leaves is a row here first.
CREATE TABLE outbox (
    id           int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    device_no    int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    to_jid       text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('text', 'image', 'video', 'audio', 'voice', 'document')),
    body         text NOT NULL DEFAULT '',          -- text or caption
    media_sha256 bytea,                             -- of a row in media, same tenant
    file_name    text,
    quoted       text,                              -- message_id answered
    priority     text NOT NULL DEFAULT 'reply' CHECK (priority IN ('reply', 'paced')),
    state        text NOT NULL DEFAULT 'queued' CHECK (state IN
                 ('queued', 'sending', 'sent', 'delivered', 'read', 'failed', 'unknown', 'expired', 'cancelled')),
    reason       text,
    message_id   text,
    attempts     int4 NOT NULL DEFAULT 0,
    not_before   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    claim_worker uuid,
    claim_epoch  int8,
    claimed_at   timestamptz,
    sent_at      timestamptz,
    delivered_at timestamptz,
    read_at      timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    created_by   text NOT NULL,
    CHECK (kind = 'text' OR media_sha256 IS NOT NULL),
    -- no sending without the lease it was claimed under
    CHECK (state <> 'sending' OR (claim_worker IS NOT NULL AND claim_epoch IS NOT NULL AND claimed_at IS NOT NULL)),
    CHECK (state NOT IN ('sent', 'delivered', 'read') OR message_id IS NOT NULL)
);
CREATE INDEX outbox_due ON outbox (device_no, priority DESC, not_before, id) WHERE state = 'queued';
CREATE INDEX outbox_open ON outbox (device_no) WHERE state IN ('sending', 'unknown');
CREATE UNIQUE INDEX outbox_by_message ON outbox (device_no, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX outbox_by_tenant ON outbox (tenant_id, id DESC);

-- Codes of the narrow table, in one place: rust/core/src/record.rs holds the same list and a test compares them.
CREATE FUNCTION message_kind(kind int2) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    (ARRAY['text','image','video','audio','voice','document','sticker','location','contact','poll','event','call',
           'system','unsupported','deleted'])[kind + 1];
CREATE FUNCTION message_status(status int2) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    (ARRAY['received','pending','sent','delivered','read','played','failed'])[status + 1];
CREATE FUNCTION jid_of(packed int8) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN packed = 0 THEN NULL ELSE (packed >> 3) || '@' ||
        (ARRAY['s.whatsapp.net','lid','g.us','broadcast','newsletter','hosted','hosted.lid','unknown'])[(packed & 7) + 1] END;

CREATE VIEW whatsapp_messages AS
SELECT d.id AS device_id, c.jid AS chat_jid, m.message_id, jid_of(m.sender) AS sender_jid, m.sender_name,
       m.flags & 1 <> 0 AS from_me, message_kind(m.kind) AS message_type, m.body AS message_text,
       CASE WHEN m.media IS NOT NULL AND m.kind <> 14
            THEN '/media/' || m.chat_id || '-' || m.key || '.' || (m.media ->> 'ext') END AS media_url,
       m.quoted AS quoted_message_id, message_status(m.status) AS status,
       m.flags & 2 <> 0 AS is_ephemeral, m.flags & 4 <> 0 AS is_view_once, m.flags & 8 <> 0 AS is_forwarded,
       m.flags & 16 <> 0 AS is_pinned, m.reactions, m.poll_votes,
       m.key >> 32 AS timestamp, m.edited_at, m.deleted_at, m.created_at,
       m.chat_id, m.key, m.tenant_id, m.device_no
FROM messages m
LEFT JOIN chats c ON c.id = m.chat_id
LEFT JOIN devices d ON d.no = m.device_no
WHERE m.key > coalesce(c.floor_key, m.key - 1);

CREATE VIEW whatsapp_chats AS
SELECT d.id AS device_id, c.jid AS chat_jid, c.name AS chat_name, c.is_group,
       c.last_text AS last_message_text, message_kind(c.last_kind) AS last_message_type,
       to_timestamp(c.last_key >> 32) AS last_message_time, c.unread AS unread_count,
       c.pinned_at, c.muted_until, c.archived, c.created_at, c.id AS chat_id, c.tenant_id, c.device_no
FROM chats c
LEFT JOIN devices d ON d.no = c.device_no;

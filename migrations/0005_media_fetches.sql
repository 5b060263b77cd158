-- Files that are to come without anybody looking, and files that could not be had. What was fetched has no row here.
-- No foreign key to messages, as everywhere; rows whose message is gone are swept away (inbox/media_quota.sql).
CREATE TABLE media_fetches (
    chat_id   int8 NOT NULL,
    key       int8 NOT NULL,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    device_no int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    -- wanted: its worker fetches it · failed: given up, a view tries again · expired: WhatsApp does not keep it any more
    state     text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'failed', 'expired')),
    reason    text,
    attempts  int4 NOT NULL DEFAULT 0,
    -- wanted: not before; expired: until then a view is answered without asking WhatsApp again
    retry_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (chat_id, key),
    CHECK (state = 'wanted' OR reason IS NOT NULL)
);
CREATE INDEX media_fetches_wanted ON media_fetches (key DESC) WHERE state = 'wanted';

-- Eviction: the least recently viewed first; a file of several tenants; a file that is still to be sent.
CREATE INDEX media_by_view ON media (viewed_at);
CREATE INDEX media_by_hash ON media (sha256) INCLUDE (size);
CREATE INDEX outbox_files ON outbox (media_sha256)
    WHERE media_sha256 IS NOT NULL AND state IN ('queued', 'sending', 'unknown');

-- Sending to many at a human pace. What a row of the outbox says, whether it may leave now and how fast is its source's: a
-- campaign's message, or one step of a sequence. The outbox knows sources, and not what stands behind them.

CREATE TABLE sources (
    id           int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id    int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    -- only rows of a running one are claimed
    state        text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'paused', 'ended')),
    -- the message, rendered for each person when it is due (outbox/render.py)
    kind         text NOT NULL CHECK (kind IN ('text', 'image', 'video', 'document')),
    template     text NOT NULL DEFAULT '',
    media_sha256 bytea,                   -- of a row in media, same tenant
    file_name    text,
    -- pace: the device's own holds as well, and the stricter of both
    min_seconds  real NOT NULL DEFAULT 10 CHECK (min_seconds >= 0),
    max_seconds  real NOT NULL DEFAULT 30,
    -- working hours in the zone of who gets it; NULL: at any hour. Days: bit 0 is Monday.
    opens        time,
    closes       time,
    days         int2 NOT NULL DEFAULT 127 CHECK (days BETWEEN 1 AND 127),
    -- whether its rows may go to another device when theirs can't send
    may_move     bool NOT NULL DEFAULT false,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CHECK (max_seconds >= min_seconds),
    CHECK ((opens IS NULL) = (closes IS NULL)),
    CHECK (kind = 'text' OR media_sha256 IS NOT NULL)
);
CREATE INDEX sources_by_tenant ON sources (tenant_id, id DESC);
CREATE INDEX sources_files ON sources (media_sha256) WHERE media_sha256 IS NOT NULL;

-- The rows of one source that wait at one device for people of one time zone: they may leave at the same hours and at the
-- same pace, so the claim looks at the first of each lane, however many wait behind it. A device's lanes take turns.
-- Without a device: the pool, from which rows are given to devices. Without a source: paced sends of the API.
CREATE TABLE lanes (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    source_id  int8 REFERENCES sources ON DELETE CASCADE,
    device_no  int4 REFERENCES devices (no) ON DELETE CASCADE,
    zone       text NOT NULL,             -- IANA name
    is_live    bool NOT NULL,             -- its source runs; lanes without a source always are
    claimed_at timestamptz NOT NULL DEFAULT '-infinity',
    CHECK (source_id IS NOT NULL OR device_no IS NOT NULL),
    UNIQUE NULLS NOT DISTINCT (source_id, device_no, zone)
) WITH (fillfactor = 70);
CREATE INDEX lanes_by_device ON lanes (device_no, is_live);

-- A row of a source has no device while it is in the pool, or when its device was deleted. It carries no foreign keys to source, lane, lead and enrolment:
-- a million rows are planned at once, and each check costs 5 us.
ALTER TABLE outbox
    ADD COLUMN source_id    int8,
    ADD COLUMN lane_id      int8,
    ADD COLUMN lead_id      int8,
    ADD COLUMN enrolment_id int8,
    ADD COLUMN cause        text,         -- of failed and cancelled: what kind of reason, for counting ('opted_out', …)
    ADD COLUMN replied_at   timestamptz,  -- the person wrote after it
    ALTER COLUMN device_no DROP NOT NULL,
    -- what a source sent stays when the device goes; the rest goes with it
    DROP CONSTRAINT outbox_device_no_fkey,
    ADD CONSTRAINT outbox_device_no_fkey FOREIGN KEY (device_no) REFERENCES devices (no) ON DELETE SET NULL,
    ADD CONSTRAINT outbox_device_check CHECK (device_no IS NOT NULL OR (source_id IS NOT NULL AND state <> 'sending'));

-- Each person once: of a campaign by the number, of a step by the enrolment.
CREATE UNIQUE INDEX outbox_once_a_campaign ON outbox (source_id, to_jid) WHERE source_id IS NOT NULL AND enrolment_id IS NULL;
CREATE UNIQUE INDEX outbox_once_a_step ON outbox (enrolment_id, source_id) WHERE enrolment_id IS NOT NULL;
CREATE INDEX outbox_of_lane ON outbox (lane_id, not_before, id) WHERE state = 'queued';
CREATE INDEX outbox_of_lead ON outbox (lead_id, id DESC) WHERE lead_id IS NOT NULL;

-- People who want nothing more of campaigns and sequences.
CREATE TABLE suppressions (
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    phone      text NOT NULL CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
    reason     text NOT NULL,             -- 'replied STOP', 'imported', 'by a person'
    created_by text NOT NULL,             -- 'lead', 'user:7', 'key:3', 'import:…'
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, phone)
);
CREATE INDEX suppressions_by_age ON suppressions (tenant_id, created_at DESC, phone);

-- What a tenant wants of its sends.
ALTER TABLE tenants
    ADD COLUMN region            text NOT NULL DEFAULT 'MY',   -- of numbers written without a country code
    ADD COLUMN time_zone         text NOT NULL DEFAULT 'Asia/Kuala_Lumpur',
    ADD COLUMN opt_out_words     text[] NOT NULL DEFAULT '{stop,berhenti,unsubscribe}',  -- trimmed and casefolded
    ADD COLUMN opt_out_answer    text NOT NULL DEFAULT 'You will get no more of these messages.';

-- The one bucket a row of a source is in.
CREATE FUNCTION outbox_bucket(state text, cause text, replied_at timestamptz) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN replied_at IS NOT NULL AND state IN ('sent', 'delivered', 'read') THEN 'replied'
         WHEN state IN ('queued', 'sending') THEN 'waiting'
         WHEN state = 'cancelled' AND cause = 'opted_out' THEN 'opted_out'
         ELSE state END;

-- How many rows of each source are in each bucket, at each device: sums of what was added and taken. Every statement that
-- moves rows adds here, in its own transaction; nobody waits for anybody, as rows are only put in. Now and then they are
-- summed up to one row each (outbox/counts.py).
CREATE TABLE source_counts (
    source_id int8 NOT NULL REFERENCES sources ON DELETE CASCADE,
    device_no int4,
    bucket    text NOT NULL,
    cause     text,
    n         int8 NOT NULL
);
CREATE INDEX source_counts_by_source ON source_counts (source_id);

CREATE FUNCTION count_rows_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO source_counts (source_id, device_no, bucket, cause, n)
    SELECT source_id, device_no, outbox_bucket(state, cause, replied_at), CASE WHEN state = 'failed' THEN cause END, count(*)
    FROM added WHERE source_id IS NOT NULL GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END
$$;
CREATE FUNCTION count_rows_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO source_counts (source_id, device_no, bucket, cause, n)
    SELECT source_id, device_no, bucket, cause, sum(n) FROM (
        SELECT source_id, device_no, outbox_bucket(state, cause, replied_at) AS bucket,
               CASE WHEN state = 'failed' THEN cause END AS cause, 1 AS n
        FROM moved_to WHERE source_id IS NOT NULL
        UNION ALL
        SELECT source_id, device_no, outbox_bucket(state, cause, replied_at), CASE WHEN state = 'failed' THEN cause END, -1
        FROM moved_from WHERE source_id IS NOT NULL
    ) steps GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0;
    RETURN NULL;
END
$$;
CREATE FUNCTION count_rows_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO source_counts (source_id, device_no, bucket, cause, n)
    SELECT g.source_id, g.device_no, outbox_bucket(g.state, g.cause, g.replied_at),
           CASE WHEN g.state = 'failed' THEN g.cause END, -count(*)
    FROM gone g JOIN sources s ON s.id = g.source_id GROUP BY 1, 2, 3, 4;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_added AFTER INSERT ON outbox REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION count_rows_added();
CREATE TRIGGER count_moved AFTER UPDATE ON outbox REFERENCING OLD TABLE AS moved_from NEW TABLE AS moved_to
    FOR EACH STATEMENT EXECUTE FUNCTION count_rows_moved();
CREATE TRIGGER count_gone AFTER DELETE ON outbox REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_rows_gone();

-- The one view every screen reads: a source's rows by device, bucket and cause of failure.
CREATE VIEW source_buckets AS
SELECT source_id, device_no, bucket, cause, sum(n)::int8 AS n
FROM source_counts GROUP BY source_id, device_no, bucket, cause HAVING sum(n) <> 0;

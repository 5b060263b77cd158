-- Messages one after another, each some time after the one before; and what people write back.

CREATE TABLE sequences (
    id               int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id        int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    name             text NOT NULL CHECK (name <> ''),
    trigger          text,                -- a tag: who gets it enters; as tags are written (leads/tags.py)
    next_sequence_id int8 REFERENCES sequences ON DELETE SET NULL,
    state            text NOT NULL DEFAULT 'paused' CHECK (state IN ('active', 'paused')),
    stop_on_reply    bool NOT NULL DEFAULT true,
    created_by       text NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    deleted_at       timestamptz
);
CREATE INDEX sequences_by_tenant ON sequences (tenant_id, id DESC);
CREATE INDEX sequences_by_trigger ON sequences (tenant_id, trigger) WHERE trigger IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX sequences_by_next ON sequences (next_sequence_id) WHERE next_sequence_id IS NOT NULL;

-- A deleted step keeps its place among the others: who stands there goes on behind it.
CREATE TABLE sequence_steps (
    id            int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id     int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    sequence_id   int8 NOT NULL REFERENCES sequences ON DELETE CASCADE,
    source_id     int8 NOT NULL UNIQUE REFERENCES sources,
    place         int4 NOT NULL,          -- orders them; moving one numbers all of them again
    delay_seconds int8 NOT NULL CHECK (delay_seconds >= 0),   -- after the one before has left, or after entry
    deleted_at    timestamptz
);
CREATE UNIQUE INDEX sequence_steps_in_order ON sequence_steps (sequence_id, place);

-- One lead walking one sequence.
CREATE TABLE enrolments (
    id          int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    sequence_id int8 NOT NULL REFERENCES sequences ON DELETE CASCADE,
    lead_id     int8 NOT NULL REFERENCES leads ON DELETE CASCADE,
    state       text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'completed', 'stopped')),
    reason      text,
    -- the one open step, the row of the outbox that is it, and the instant its delay counts from
    step_id     int8 REFERENCES sequence_steps ON DELETE SET NULL,
    outbox_id   int8,
    since       timestamptz NOT NULL DEFAULT now(),
    started_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    CHECK ((state IN ('completed', 'stopped')) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX enrolments_one_open ON enrolments (sequence_id, lead_id) WHERE ended_at IS NULL;
CREATE INDEX enrolments_by_lead ON enrolments (lead_id);
CREATE INDEX enrolments_by_state ON enrolments (sequence_id, state, id DESC);
CREATE UNIQUE INDEX enrolments_by_row ON enrolments (outbox_id) WHERE outbox_id IS NOT NULL;

-- Days of a step's figures; and its rows that wait.
CREATE INDEX outbox_of_step ON outbox (source_id, sent_at) WHERE enrolment_id IS NOT NULL;

-- Enrolments that may have to go on: they began, or the row of their step has ended. Put in by whatever moved them, in its
-- transaction, and only put in, so that nobody waits for the walk (sequences/walk.py) and the walk for nobody. Those that
-- begin come last: a million of them must not hold up who is on the way.
CREATE TABLE walk_queue (
    id           int8 GENERATED ALWAYS AS IDENTITY,
    is_new       bool NOT NULL DEFAULT true,
    enrolment_id int8 NOT NULL,
    PRIMARY KEY (is_new, id)
);

CREATE FUNCTION queue_new_enrolments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO walk_queue (enrolment_id) SELECT id FROM added;
    IF FOUND THEN
        PERFORM pg_notify('wafast_walk', '');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER queue_new AFTER INSERT ON enrolments REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION queue_new_enrolments();

-- From sent to delivered and read the walk has nothing to do.
CREATE FUNCTION queue_ended_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO walk_queue (is_new, enrolment_id)
    SELECT false, n.enrolment_id FROM moved_to n JOIN moved_from o ON o.id = n.id
    WHERE n.enrolment_id IS NOT NULL AND o.state IN ('queued', 'sending') AND n.state NOT IN ('queued', 'sending');
    IF FOUND THEN
        PERFORM pg_notify('wafast_walk', '');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER queue_ended AFTER UPDATE ON outbox REFERENCING OLD TABLE AS moved_from NEW TABLE AS moved_to
    FOR EACH STATEMENT EXECUTE FUNCTION queue_ended_steps();

-- Who is gone as a lead gets nothing more.
CREATE FUNCTION cancel_steps_of_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE outbox o SET state = 'cancelled', cause = 'lead_gone', reason = 'the lead was deleted'
    FROM gone g WHERE o.id = g.outbox_id AND o.state = 'queued';
    RETURN NULL;
END
$$;
CREATE TRIGGER cancel_gone AFTER DELETE ON enrolments REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION cancel_steps_of_gone();

-- Who gets a trigger tag enters, however it comes to it; who was in the sequence before enters again only when a person
-- asks for it.
CREATE FUNCTION enrol_new_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM sequences WHERE trigger IS NOT NULL AND deleted_at IS NULL) THEN
        INSERT INTO enrolments (tenant_id, sequence_id, lead_id)
        SELECT l.tenant_id, s.id, l.id
        FROM added l CROSS JOIN LATERAL unnest(l.tags) AS t (tag)
        JOIN sequences s ON s.tenant_id = l.tenant_id AND s.trigger = t.tag AND s.deleted_at IS NULL
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER enrol_new AFTER INSERT ON leads REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION enrol_new_leads();

CREATE FUNCTION enrol_tagged_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM sequences WHERE trigger IS NOT NULL AND deleted_at IS NULL) THEN
        INSERT INTO enrolments (tenant_id, sequence_id, lead_id)
        SELECT l.tenant_id, s.id, l.id
        FROM tagged_to l JOIN tagged_from o ON o.id = l.id AND o.tags <> l.tags
        CROSS JOIN LATERAL unnest(l.tags) AS t (tag)
        JOIN sequences s ON s.tenant_id = l.tenant_id AND s.trigger = t.tag AND s.deleted_at IS NULL
        WHERE t.tag <> ALL (o.tags)
          AND NOT EXISTS (SELECT FROM enrolments e WHERE e.sequence_id = s.id AND e.lead_id = l.id)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER enrol_tagged AFTER UPDATE ON leads REFERENCING OLD TABLE AS tagged_from NEW TABLE AS tagged_to
    FOR EACH STATEMENT EXECUTE FUNCTION enrol_tagged_leads();

-- Messages that said "no more": each counts once, whoever looks at it again; a person may have put the lead back since.
CREATE TABLE opt_outs (
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    phone     text NOT NULL,
    key       int8 NOT NULL,              -- messages.key
    PRIMARY KEY (tenant_id, phone, key)
);

-- Numbers of leads that are gone and were written to: they can still say so.
CREATE TABLE former_leads (
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    phone     text NOT NULL,
    PRIMARY KEY (tenant_id, phone)
);
CREATE FUNCTION keep_numbers_written_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO former_leads (tenant_id, phone)
    SELECT g.tenant_id, g.phone FROM gone g JOIN tenants t ON t.id = g.tenant_id
    WHERE EXISTS (SELECT FROM outbox o WHERE o.lead_id = g.id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER keep_numbers AFTER DELETE ON leads REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION keep_numbers_written_to();

-- A chat as the inbox shows it, and whether its person wants nothing more of campaigns and sequences.
CREATE OR REPLACE VIEW chats_shown AS
SELECT c.id, d.id AS device_id, c.jid, c.name, c.is_group, c.last_text, c.last_key,
       message_kind(c.last_kind) AS last_kind, c.last_flags, message_status(c.last_status) AS last_status,
       c.last_sender, c.unread, c.pinned_at, c.muted_until, c.archived, c.tenant_id, c.device_no,
       w.assignee_id, u.name AS assignee_name,
       w.closed_at IS NULL OR (c.last_key IS DISTINCT FROM w.closed_key AND has_come_since(c.id, w.closed_key, w.closed_at))
           AS is_open,
       ARRAY(SELECT l.label_id FROM chat_labels l WHERE l.chat_id = c.id ORDER BY l.label_id) AS label_ids,
       EXISTS (SELECT FROM suppressions s
               WHERE s.tenant_id = c.tenant_id AND s.phone = '+' || split_part(c.jid, '@s.whatsapp.net', 1)) AS is_opted_out
FROM chats c
JOIN devices d ON d.no = c.device_no
LEFT JOIN chat_work w ON w.chat_id = c.id
LEFT JOIN users u ON u.id = w.assignee_id;

-- Everything that was stored before told_until has been looked at (answers/follow.py).
CREATE TABLE answers_progress (
    only_row   bool PRIMARY KEY DEFAULT true CHECK (only_row),
    told_until timestamptz NOT NULL DEFAULT now()
);
INSERT INTO answers_progress DEFAULT VALUES;

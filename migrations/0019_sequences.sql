-- Messages one after another, each some time after the one before.

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

CREATE TABLE sequence_steps (
    id            int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id     int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    sequence_id   int8 NOT NULL REFERENCES sequences ON DELETE CASCADE,
    source_id     int8 NOT NULL UNIQUE REFERENCES sources,
    place         int4 NOT NULL,          -- 1, 2, …
    delay_seconds int8 NOT NULL CHECK (delay_seconds >= 0),   -- after the one before has left, or after entry
    deleted_at    timestamptz
);
CREATE UNIQUE INDEX sequence_steps_in_order ON sequence_steps (sequence_id, place) WHERE deleted_at IS NULL;

-- One lead walking one sequence.
CREATE TABLE enrolments (
    id          int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    sequence_id int8 NOT NULL REFERENCES sequences ON DELETE CASCADE,
    lead_id     int8 NOT NULL REFERENCES leads ON DELETE CASCADE,
    state       text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'completed', 'stopped')),
    reason      text,
    -- the one open step, and the row of the outbox that is it
    step_id     int8 REFERENCES sequence_steps ON DELETE SET NULL,
    outbox_id   int8,
    started_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    CHECK ((state IN ('completed', 'stopped')) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX enrolments_one_open ON enrolments (sequence_id, lead_id) WHERE ended_at IS NULL;
CREATE INDEX enrolments_by_lead ON enrolments (lead_id);
CREATE UNIQUE INDEX enrolments_by_row ON enrolments (outbox_id) WHERE outbox_id IS NOT NULL;

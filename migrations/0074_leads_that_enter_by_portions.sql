-- All leads that fit a filter on their way into a sequence (sequences/intakes.py). Done in portions, the newest leads first:
-- a million in one statement held what everybody else wanted for a minute, and entered or did not as a whole.
CREATE TABLE intakes (
    id          int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id   int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    sequence_id int8 NOT NULL REFERENCES sequences ON DELETE CASCADE,
    filter      jsonb NOT NULL,           -- of leads_matching()
    again       bool NOT NULL,            -- as enrolments.again
    state       text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'cancelled')),
    leads       int4 NOT NULL DEFAULT 0,  -- that fitted when it was asked for; of them so many were looked at, and entered:
    looked      int4 NOT NULL DEFAULT 0,
    entered     int4 NOT NULL DEFAULT 0,
    last_id     int8 NOT NULL DEFAULT 9223372036854775807,   -- how far it is: the last lead
    looked_at   timestamptz NOT NULL DEFAULT now(),          -- they take turns
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    CHECK ((state = 'running') = (ended_at IS NULL))
);
CREATE INDEX intakes_by_sequence ON intakes (sequence_id, id DESC);
CREATE INDEX intakes_by_tenant ON intakes (tenant_id);
CREATE INDEX intakes_open ON intakes (looked_at, id) WHERE state = 'running';

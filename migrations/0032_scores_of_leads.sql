-- What an AI endpoint, where one is set, says of leads: a score of 0 to 100 with a sentence why.

-- What it is told of a lead (leads/scorer.py), and so what makes a score old once it is different. No number, no name.
CREATE FUNCTION lead_facts(l leads) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT jsonb_build_object('tags', l.tags, 'target_status', l.target_status, 'has_replied', l.replied_at IS NOT NULL,
                              'fields', l.fields)
$$;
CREATE FUNCTION lead_facts_hash(l leads) RETURNS int8 LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT hashtextextended(lead_facts(l)::text, 0)
$$;

-- Beside the leads: scoring one changes nothing of it.
CREATE TABLE lead_scores (
    lead_id    int8 PRIMARY KEY REFERENCES leads ON DELETE CASCADE,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    score      int2 CHECK (score BETWEEN 0 AND 100),   -- NULL, as all but the problem: there was none yet
    reason     text,
    model      text,
    facts_hash int8,                      -- of what it was told
    scored_at  timestamptz,
    problem    text,                      -- why the last attempt gave none; the score is of an earlier one
    CHECK (num_nulls(score, reason, model, facts_hash, scored_at) IN (0, 5)),
    CHECK (score IS NOT NULL OR problem IS NOT NULL)
);
CREATE INDEX lead_scores_highest ON lead_scores (tenant_id, score, lead_id) WHERE score IS NOT NULL;

-- The score of a lead as it is shown; no row when nobody asked for one. PostgreSQL puts its text in the place of the call.
CREATE FUNCTION lead_score(l leads) RETURNS TABLE (score jsonb) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT jsonb_build_object('score', s.score, 'reason', s.reason, 'model', s.model, 'scored_at', s.scored_at,
                              'is_old', coalesce(s.facts_hash <> lead_facts_hash(l), false), 'problem', s.problem)
    FROM lead_scores s WHERE s.lead_id = l.id
$$;

-- Leads to score, as somebody asked for; done in steps.
CREATE TABLE scorings (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    filter     jsonb NOT NULL,            -- of leads_matching()
    lead_ids   int8[],                    -- only these; NULL: all that fit
    goal       text NOT NULL,             -- what makes a good lead, in a person's words
    state      text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
    reason     text,                      -- why it failed, or why it waits
    leads      int4 NOT NULL,             -- that fitted when it was asked for; of them so many have a score, or none:
    scored     int4 NOT NULL DEFAULT 0,
    failed     int4 NOT NULL DEFAULT 0,
    last_id    int8 NOT NULL DEFAULT 9223372036854775807,   -- how far it is: the last lead
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    CHECK ((state = 'running') = (ended_at IS NULL))
);
CREATE INDEX scorings_by_tenant ON scorings (tenant_id, id DESC);
CREATE INDEX scorings_open ON scorings (id) WHERE state = 'running';

-- A distribution hands out those with a score first, the highest before the others: down to this one, and below last_id
-- of those who have the same. NULL: the others, and who was passed over, have their turn.
ALTER TABLE distributions ADD COLUMN last_score int2;
ALTER TABLE distributions ALTER COLUMN last_score SET DEFAULT 101;

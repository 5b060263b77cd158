-- Scores of leads: what was asked for, and what came of it.

-- name: create_scoring
-- $2 the filter, $3 only these ids (NULL: all).
INSERT INTO scorings (tenant_id, filter, lead_ids, goal, created_by, leads)
SELECT $1, $2::jsonb, $3::int8[], $4, $5,
       (SELECT count(*) FROM leads_matching($1, $2) l WHERE $3::int8[] IS NULL OR l.id = ANY ($3))
RETURNING *;

-- name: wake_scorer
SELECT pg_notify($1, '');

-- name: list_scorings
SELECT * FROM scorings WHERE tenant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: get_scoring
SELECT * FROM scorings WHERE tenant_id = $1 AND id = $2;

-- name: cancel_scoring
UPDATE scorings SET state = 'cancelled', ended_at = now() WHERE tenant_id = $1 AND id = $2 AND state = 'running'
RETURNING id;

-- name: open_scorings
SELECT id, tenant_id, filter, lead_ids, goal, last_id FROM scorings WHERE state = 'running' ORDER BY id;

-- name: leads_to_score
-- The next $5 leads below the id $3, of $4 (NULL: of all).
SELECT l.id, lead_facts(l) AS facts, lead_facts_hash(l) AS facts_hash FROM leads_matching($1, $2) l
WHERE l.id < $3 AND ($4::int8[] IS NULL OR l.id = ANY ($4))
ORDER BY l.id DESC LIMIT $5;

-- name: hold_scoring
-- Whether it still runs, and goes on from where this step began.
SELECT id FROM scorings WHERE id = $1 AND state = 'running' AND last_id = $2 FOR UPDATE;

-- name: keep_scores
-- Of those who are still there. $3 scores, $4 reasons, $5 what they were made of, $6 the model.
INSERT INTO lead_scores (lead_id, tenant_id, score, reason, facts_hash, model, scored_at)
SELECT l.id, $1, s.score, s.reason, s.facts_hash, $6, now()
FROM unnest($2::int8[], $3::int2[], $4::text[], $5::int8[]) AS s (lead_id, score, reason, facts_hash)
JOIN leads l ON l.id = s.lead_id AND l.tenant_id = $1
FOR KEY SHARE OF l SKIP LOCKED
ON CONFLICT (lead_id) DO UPDATE SET
    score = excluded.score, reason = excluded.reason, facts_hash = excluded.facts_hash, model = excluded.model,
    scored_at = excluded.scored_at, problem = NULL;

-- name: keep_score_problems
-- A score that there was stays.
INSERT INTO lead_scores (lead_id, tenant_id, problem)
SELECT l.id, $1, s.problem
FROM unnest($2::int8[], $3::text[]) AS s (lead_id, problem)
JOIN leads l ON l.id = s.lead_id AND l.tenant_id = $1
FOR KEY SHARE OF l SKIP LOCKED
ON CONFLICT (lead_id) DO UPDATE SET problem = excluded.problem;

-- name: move_scoring
-- $2 the last lead of this step, $3 $4 how many got a score and how many none, $5 why it waits, $6 whether that was all.
UPDATE scorings SET last_id = coalesce($2, last_id), scored = scored + $3, failed = failed + $4, reason = $5,
    state = CASE WHEN $6 THEN 'done' ELSE state END, ended_at = CASE WHEN $6 THEN now() END
WHERE id = $1;

-- name: fail_scoring
UPDATE scorings SET state = 'failed', reason = $2, ended_at = now() WHERE id = $1 AND state = 'running';

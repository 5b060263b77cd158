-- name: count_known
-- How many people without a device fit ($2), by the device among $3 that knows them; NULL: none does.
SELECT k.device_no, count(*) AS n
FROM leads_matching($1, $2) l
LEFT JOIN LATERAL knows_person($1, l.id, l.phone, $3) k ON true
WHERE l.device_no IS NULL
GROUP BY k.device_no

-- name: create_distribution
INSERT INTO distributions (tenant_id, filter, people, left_over, left_reason, created_by) VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id

-- name: create_shares
INSERT INTO distribution_shares (tenant_id, distribution_id, device_no, is_known, planned, reason)
SELECT $1, $2, * FROM unnest($3::int4[], $4::bool[], $5::int4[], $6::text[]) AS s (device_no, is_known, planned, reason)

-- name: list_distributions
SELECT d.*, coalesce((
    SELECT jsonb_agg(jsonb_build_object('device_id', v.id, 'name', v.name, 'planned', s.planned, 'known', s.known,
                                        'given', s.given, 'reason', s.reason) ORDER BY s.planned DESC, v.name)
    FROM (SELECT device_no, sum(planned) AS planned, sum(given) AS given, min(reason) AS reason,
                 sum(planned) FILTER (WHERE is_known) AS known
          FROM distribution_shares WHERE distribution_id = d.id GROUP BY device_no) s
    JOIN devices v ON v.no = s.device_no), '[]') AS shares
FROM distributions d WHERE d.tenant_id = $1 AND d.id < $3 ORDER BY d.id DESC LIMIT $2

-- name: undo_distribution
UPDATE distributions SET state = 'undoing', ended_at = NULL, last_id = DEFAULT
WHERE tenant_id = $1 AND id = $2 AND state IN ('running', 'done')
RETURNING id

-- name: open_distributions
SELECT id FROM distributions WHERE ended_at IS NULL ORDER BY id

-- name: hold_distribution
SELECT id, tenant_id, filter, state, last_id, last_score FROM distributions WHERE id = $1 AND ended_at IS NULL FOR UPDATE

-- name: give_up_distribution
-- $2 why; whoever has not been given to anybody is left.
UPDATE distributions x SET state = CASE state WHEN 'running' THEN 'done' ELSE 'undone' END, ended_at = now(), left_reason = $2,
    left_over = greatest(0, x.people - (SELECT coalesce(sum(given), 0) FROM distribution_shares WHERE distribution_id = x.id))
WHERE id = $1 AND ended_at IS NULL

-- name: shares_left
-- Of devices that are there still: who deletes one waits, or has done it.
SELECT s.device_no, s.is_known, s.planned - s.given AS remains, s.reason, d.name
FROM distribution_shares s JOIN devices d ON d.no = s.device_no
WHERE s.distribution_id = $1 AND s.given < s.planned AND NOT is_over(d)
ORDER BY d.no FOR KEY SHARE OF d

-- name: next_people
-- The next $4 people below the id $3 that fit ($2) and have no device, with the one of $5 that knows them.
SELECT l.id, s.score, k.device_no AS known, k.code
FROM leads_matching($1, $2) l
LEFT JOIN lead_scores s ON s.lead_id = l.id
LEFT JOIN LATERAL knows_person($1, l.id, l.phone, $5) k ON true
WHERE l.device_no IS NULL AND l.id < $3
ORDER BY l.id DESC LIMIT $4

-- name: next_scored
-- The next $4 people of the tenant by their score, below $6 and of those who have that below the id $3; who fits and has no
-- device is $5's as above. A window of the index, so that a step costs the same however few fit.
WITH next AS MATERIALIZED (
    SELECT lead_id, score FROM lead_scores
    WHERE tenant_id = $1 AND score IS NOT NULL AND (score, lead_id) < ($6::int2, $3::int8)
    ORDER BY score DESC, lead_id DESC LIMIT $4
)
SELECT n.lead_id AS id, n.score, l.id IS NOT NULL AS fits, k.device_no AS known, k.code
FROM next n
LEFT JOIN leads_matching($1, $2) l ON l.id = n.lead_id AND l.device_no IS NULL
LEFT JOIN LATERAL knows_person($1, l.id, l.phone, $5) k ON true
ORDER BY n.score DESC, n.lead_id DESC

-- name: give_people
-- $3 people to $4 devices, $5 code, $6 reason, $7 whether they count as known. Who got a device meanwhile keeps it; who is
-- held by somebody else, an import say, is not waited for. Gives the highest of those (NULL: none), and how many got one.
WITH given AS (
    SELECT * FROM unnest($3::int8[], $4::int4[], $5::text[], $6::text[], $7::bool[])
        AS g (lead_id, device_no, code, reason, is_known)
), free AS (
    SELECT l.id FROM given g JOIN leads l ON l.id = g.lead_id AND l.tenant_id = $1
    ORDER BY l.id FOR NO KEY UPDATE OF l SKIP LOCKED
), moved AS (
    UPDATE leads l SET device_no = g.device_no, updated_at = now()
    FROM given g JOIN free f ON f.id = g.lead_id
    WHERE l.id = g.lead_id AND l.device_no IS NULL
    RETURNING g.*
), counted AS (
    UPDATE distribution_shares s SET given = s.given + m.n
    FROM (SELECT device_no, is_known, count(*)::int4 AS n FROM moved GROUP BY 1, 2) m
    WHERE s.distribution_id = $2 AND s.device_no = m.device_no AND s.is_known = m.is_known
), noted AS (
    INSERT INTO distribution_decisions (tenant_id, lead_id, distribution_id, device_no, code, reason)
    SELECT $1, lead_id, $2, device_no, code, reason FROM moved
)
SELECT (SELECT max(g.lead_id) FROM given g JOIN leads l ON l.id = g.lead_id
        WHERE g.lead_id NOT IN (SELECT id FROM free)) AS held, (SELECT count(*) FROM moved) AS moved

-- name: move_on
-- $2 the last lead of this step, or one above the first that is to be looked at again; NULL: it was the last step.
UPDATE distributions SET last_id = coalesce($2, last_id), last_score = NULL,
                         state = CASE WHEN $2::int8 IS NULL THEN 'done' ELSE state END,
                         ended_at = CASE WHEN $2::int8 IS NULL THEN now() END
WHERE id = $1

-- name: move_on_scored
-- $2, $3 the last score of this step, and the lead who has it.
UPDATE distributions SET last_score = $2, last_id = $3 WHERE id = $1

-- name: take_people_back
-- The next $3 decisions of $1 below the id $2: whom its device has not written to since, and who is still its. From those
-- on whom somebody else holds just now it goes on the next time. Gives whether it came further.
WITH next AS (
    SELECT id, lead_id, device_no, at FROM distribution_decisions
    WHERE distribution_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
), free AS (
    SELECT l.id FROM next n JOIN leads l ON l.id = n.lead_id ORDER BY l.id FOR NO KEY UPDATE OF l SKIP LOCKED
), held AS (
    SELECT max(n.id) AS id FROM next n JOIN leads l ON l.id = n.lead_id WHERE n.lead_id NOT IN (SELECT id FROM free)
), back AS (
    UPDATE leads l SET device_no = NULL, updated_at = now()
    FROM next n JOIN free f ON f.id = n.lead_id
    WHERE l.id = n.lead_id AND l.device_no = n.device_no
      AND NOT EXISTS (SELECT FROM distribution_decisions x WHERE x.lead_id = l.id AND x.id > n.id)
      AND NOT EXISTS (SELECT FROM outbox o WHERE o.lead_id = l.id AND o.device_no = n.device_no AND o.claimed_at > n.at)
), ends AS (
    SELECT (SELECT count(*) FROM next) < $3 AND (SELECT id FROM held) IS NULL AS is_last
)
UPDATE distributions d SET
    last_id = coalesce((SELECT id + 1 FROM held), (SELECT min(id) FROM next), d.last_id),
    state = CASE WHEN is_last THEN 'undone' ELSE d.state END,
    ended_at = CASE WHEN is_last THEN now() END
FROM ends
WHERE d.id = $1
RETURNING d.ended_at IS NOT NULL OR d.last_id < $2 AS has_moved

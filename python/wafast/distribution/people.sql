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
SELECT id, tenant_id, filter, state, last_id FROM distributions WHERE id = $1 AND ended_at IS NULL FOR UPDATE

-- name: shares_left
SELECT s.device_no, s.is_known, s.planned - s.given AS remains, s.reason, d.name
FROM distribution_shares s JOIN devices d ON d.no = s.device_no
WHERE s.distribution_id = $1 AND s.given < s.planned

-- name: next_people
-- The next $4 people below the id $3 that fit ($2) and have no device, with the one of $5 that knows them.
SELECT l.id, k.device_no AS known, k.code
FROM leads_matching($1, $2) l
LEFT JOIN LATERAL knows_person($1, l.id, l.phone, $5) k ON true
WHERE l.device_no IS NULL AND l.id < $3
ORDER BY l.id DESC LIMIT $4

-- name: give_people
-- $3 people to $4 devices, $5 code, $6 reason, $7 whether they count as known. Who got a device meanwhile keeps it.
WITH given AS (
    SELECT * FROM unnest($3::int8[], $4::int4[], $5::text[], $6::text[], $7::bool[])
        AS g (lead_id, device_no, code, reason, is_known)
), moved AS (
    UPDATE leads l SET device_no = g.device_no, updated_at = now()
    FROM given g WHERE l.id = g.lead_id AND l.tenant_id = $1 AND l.device_no IS NULL
    RETURNING g.*
), counted AS (
    UPDATE distribution_shares s SET given = s.given + m.n
    FROM (SELECT device_no, is_known, count(*)::int4 AS n FROM moved GROUP BY 1, 2) m
    WHERE s.distribution_id = $2 AND s.device_no = m.device_no AND s.is_known = m.is_known
)
INSERT INTO distribution_decisions (tenant_id, lead_id, distribution_id, device_no, code, reason)
SELECT $1, lead_id, $2, device_no, code, reason FROM moved

-- name: move_on
-- $2 the last lead of this step; NULL: it was the last step.
UPDATE distributions SET last_id = coalesce($2, last_id), state = CASE WHEN $2::int8 IS NULL THEN 'done' ELSE state END,
                         ended_at = CASE WHEN $2::int8 IS NULL THEN now() END
WHERE id = $1

-- name: take_people_back
-- The next $3 decisions of $1 below the id $2: whom its device has not written to since, and who is still its.
WITH next AS (
    SELECT id, lead_id, device_no, at FROM distribution_decisions
    WHERE distribution_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3
), back AS (
    UPDATE leads l SET device_no = NULL, updated_at = now()
    FROM next n
    WHERE l.id = n.lead_id AND l.device_no = n.device_no
      AND NOT EXISTS (SELECT FROM distribution_decisions x WHERE x.lead_id = l.id AND x.id > n.id)
      AND NOT EXISTS (SELECT FROM outbox o WHERE o.lead_id = l.id AND o.device_no = n.device_no AND o.claimed_at > n.at)
)
UPDATE distributions d SET
    last_id = coalesce((SELECT min(id) FROM next), d.last_id),
    state = CASE WHEN (SELECT count(*) FROM next) < $3 THEN 'undone' ELSE d.state END,
    ended_at = CASE WHEN (SELECT count(*) FROM next) < $3 THEN now() END
WHERE d.id = $1

-- Who wants nothing more. $1 is always the tenant.

-- name: list_suppressions
-- Newest first; $2, $3 the place the list goes on behind, $4 what the number begins with, $5 how many.
SELECT s.phone, s.reason, s.created_by, s.created_at, l.id AS lead_id, l.name
FROM suppressions s LEFT JOIN leads l ON l.tenant_id = s.tenant_id AND l.phone = s.phone
WHERE s.tenant_id = $1 AND s.created_at <= $2 AND (s.created_at < $2 OR s.phone > $3)
  AND ($4::text IS NULL OR starts_with(s.phone, $4))
ORDER BY s.created_at DESC, s.phone
LIMIT $5;

-- name: add_suppression
-- One that is there stays as it is; that it is written again gives its row, also where somebody else adds it just now.
-- $5 the devices within reach (NULL: all): a lead of another is not seen.
WITH found AS (
    INSERT INTO suppressions AS s (tenant_id, phone, reason, created_by) VALUES ($1, $2, $3, $4)
    ON CONFLICT (tenant_id, phone) DO UPDATE SET reason = s.reason
    RETURNING s.*, s.xmax = 0 AS is_new
)
SELECT f.phone, f.reason, f.created_by, f.created_at, l.id AS lead_id, l.name, f.is_new,
       $5::uuid[] IS NULL OR l.device_no IS NULL OR d.id = ANY ($5) AS is_seen
FROM found f LEFT JOIN leads l ON l.tenant_id = f.tenant_id AND l.phone = f.phone LEFT JOIN devices d ON d.no = l.device_no;

-- name: remove_suppression
-- All numbers of the person ($2 is one), and those of these, as they were put there. What it wrote until now counts no more,
-- though a history may bring it only later (answers.sql: note_opt_out). Not of the last five minutes, for clocks that differ:
-- a word too many is heard rather than one too few.
WITH RECURSIVE person AS (
    SELECT $2::text AS phone
  UNION
    SELECT n.phone FROM person p CROSS JOIN LATERAL numbers_of_person($1, p.phone) n
), removed AS (
    DELETE FROM suppressions WHERE tenant_id = $1 AND phone IN (SELECT phone FROM person) RETURNING phone, reason
), settled AS (
    INSERT INTO opt_outs (tenant_id, phone, key)
    SELECT $1, phone, floor(extract(epoch FROM now() - interval '5 minutes'))::int8 << 32 FROM removed
    ON CONFLICT DO NOTHING
)
SELECT r.phone, r.reason, l.id AS lead_id FROM removed r LEFT JOIN leads l ON l.tenant_id = $1 AND l.phone = r.phone;

-- name: get_opt_out
SELECT opt_out_words AS words, opt_out_answer AS answer FROM tenants WHERE id = $1;

-- name: change_opt_out
UPDATE tenants SET opt_out_words = coalesce($2, opt_out_words), opt_out_answer = coalesce($3, opt_out_answer)
WHERE id = $1 RETURNING opt_out_words AS words, opt_out_answer AS answer;

-- name: record_audit
INSERT INTO audit_log (tenant_id, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)

-- name: record_audit_of_each
INSERT INTO audit_log (tenant_id, actor, action, subject, detail)
SELECT $1, $2, $3, subject, detail FROM unnest($4::text[], $5::jsonb[]) AS each (subject, detail)

-- name: plan_by_filters
-- Each filter has its index; which one serves is seen when its value is known.
SET LOCAL plan_cache_mode = force_custom_plan;

-- name: list_audit
-- $1 tenant, $2 only lines below this id, $3 how many, then filters, NULL for any: $4 actor, $5 action or what it begins
-- with before the point, $6 subject, $7 from and $8 before which instant. Names are those of today; what is gone has none.
WITH page AS (
    SELECT id, at, actor, action, subject, detail,
           split_part(subject, ':', 1) AS kind, substr(subject, strpos(subject, ':') + 1) AS which
    FROM audit_log
    WHERE tenant_id = $1 AND id < $2 AND ($4::text IS NULL OR actor = $4)
      AND ($5::text IS NULL OR split_part(action, '.', 1) = split_part($5, '.', 1) AND (action = $5 OR strpos($5, '.') = 0))
      AND ($6::text IS NULL OR subject = $6)
      AND ($7::timestamptz IS NULL OR at >= $7) AND ($8::timestamptz IS NULL OR at < $8)
    ORDER BY id DESC LIMIT $3
), numbered AS (
    SELECT page.*, CASE WHEN which ~ '^[0-9]{1,18}$' THEN which::int8 END AS number,
           CASE WHEN actor ~ '^(user|key):[0-9]{1,18}$' THEN split_part(actor, ':', 2)::int8 END AS actor_number
    FROM page
)
SELECT id, at, actor, action, subject, detail,
       CASE split_part(actor, ':', 1)
           WHEN 'user' THEN (SELECT name FROM users u WHERE u.id = actor_number)
           WHEN 'key' THEN (SELECT name FROM api_keys k WHERE k.tenant_id = $1 AND k.id = actor_number)
       END AS actor_name,
       coalesce(CASE kind
           WHEN 'device' THEN (SELECT name FROM devices d WHERE d.tenant_id = $1 AND d.id::text = which)
           WHEN 'user' THEN (SELECT u.name FROM users u JOIN members m ON m.user_id = u.id
                             WHERE m.tenant_id = $1 AND (u.id = number OR u.email = which))
           WHEN 'key' THEN (SELECT name FROM api_keys k WHERE k.tenant_id = $1 AND k.id = number)
           WHEN 'chat' THEN (SELECT coalesce(nullif(name, ''), regexp_replace(jid, '^([0-9]+)@s\.whatsapp\.net$', '+\1'))
                             FROM chats c WHERE c.tenant_id = $1 AND c.id = number)
           WHEN 'lead' THEN (SELECT coalesce(nullif(name, ''), phone) FROM leads l WHERE l.tenant_id = $1 AND l.id = number)
           WHEN 'label' THEN (SELECT name FROM labels l WHERE l.tenant_id = $1 AND l.id = number)
           WHEN 'campaign' THEN (SELECT name FROM campaigns c WHERE c.tenant_id = $1 AND c.id = number)
           WHEN 'sequence' THEN (SELECT name FROM sequences s WHERE s.tenant_id = $1 AND s.id = number)
           WHEN 'segment' THEN (SELECT name FROM segments s WHERE s.tenant_id = $1 AND s.id = number)
           WHEN 'suppression' THEN which
       END, detail ->> 'name', detail ->> 'file') AS subject_name
FROM numbered ORDER BY id DESC

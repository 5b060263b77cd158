-- name: record_audit
INSERT INTO audit_log (tenant_id, actor, action, subject, detail) VALUES ($1, $2, $3, $4, $5)

-- name: record_audit_of_each
INSERT INTO audit_log (tenant_id, actor, action, subject, detail)
SELECT $1, $2, $3, subject, detail FROM unnest($4::text[], $5::jsonb[]) AS each (subject, detail)

-- Leads and suppressions on their way out. $1 is always the tenant.

-- name: export_leads
-- $2 the filter, $3 only those before this id, $4 how many.
SELECT l.id, l.phone, l.name, l.tags, l.target_status, l.fields FROM leads_matching($1, $2) l
WHERE l.id < $3 ORDER BY l.id DESC LIMIT $4;

-- name: field_names
SELECT term FROM lead_terms WHERE tenant_id = $1 AND kind = 'field' ORDER BY term;

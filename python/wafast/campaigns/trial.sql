-- name: wants_no_more
-- Whether the number of a JID ($2) is on the list of those.
SELECT EXISTS (SELECT FROM suppressions WHERE tenant_id = $1 AND phone = '+' || split_part($2, '@', 1))

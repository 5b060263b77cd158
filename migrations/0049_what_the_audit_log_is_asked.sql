-- Who did what to what and when is found without reading the whole log of a workspace, for each way to ask (accounts/audit.sql).
CREATE INDEX audit_log_by_actor ON audit_log (tenant_id, actor, id DESC);
CREATE INDEX audit_log_by_subject ON audit_log (tenant_id, subject, id DESC);
CREATE INDEX audit_log_by_action ON audit_log (tenant_id, split_part(action, '.', 1), id DESC);
CREATE INDEX audit_log_by_time ON audit_log (tenant_id, at);

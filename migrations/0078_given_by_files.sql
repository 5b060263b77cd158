-- People whom a file gave to another device: what waits for them where they were goes over by the walk, a portion at a time
-- (sequences/going_over.py). A file of a million is taken in at once, and would hold as many rows.
CREATE TABLE given_leads (
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    lead_id   int8 NOT NULL REFERENCES leads ON DELETE CASCADE,
    PRIMARY KEY (tenant_id, lead_id)
);
CREATE INDEX given_leads_by_lead ON given_leads (lead_id);

CREATE FUNCTION wake_walk_for_given() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added) THEN
        PERFORM pg_notify('wafast_walk', '');
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER wake_walk AFTER INSERT ON given_leads REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION wake_walk_for_given();

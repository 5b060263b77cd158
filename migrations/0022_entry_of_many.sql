-- An import of a million leads: most have no tag that lets them enter a sequence, and a look at each is enough. Measured
-- with two tags a lead and ten sequences: 0.7 us a lead in the place of 17.
CREATE OR REPLACE FUNCTION enrol_new_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM sequences WHERE trigger IS NOT NULL AND deleted_at IS NULL) THEN
        INSERT INTO enrolments (tenant_id, sequence_id, lead_id)
        SELECT l.tenant_id, s.id, l.id
        FROM added l CROSS JOIN LATERAL unnest(l.tags) AS t (tag)
        JOIN sequences s ON s.tenant_id = l.tenant_id AND s.trigger = t.tag AND s.deleted_at IS NULL
        WHERE l.tags && (SELECT array_agg(trigger) FROM sequences WHERE trigger IS NOT NULL AND deleted_at IS NULL)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

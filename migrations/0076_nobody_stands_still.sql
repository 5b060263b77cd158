-- Who gets a tag enters in one order, as by any other way, so that nobody waits in a circle. Of new leads nobody else knows.
CREATE OR REPLACE FUNCTION enrol_tagged_leads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM sequences WHERE trigger IS NOT NULL AND deleted_at IS NULL) THEN
        INSERT INTO enrolments (tenant_id, sequence_id, lead_id)
        SELECT l.tenant_id, s.id, l.id
        FROM (SELECT n.id, n.tenant_id, t.tag, true AS is_new FROM tagged_to n CROSS JOIN LATERAL unnest(n.tags) AS t (tag)
              UNION ALL
              SELECT o.id, o.tenant_id, t.tag, false FROM tagged_from o CROSS JOIN LATERAL unnest(o.tags) AS t (tag)) l
        JOIN sequences s ON s.tenant_id = l.tenant_id AND s.trigger = l.tag AND s.deleted_at IS NULL
        GROUP BY l.tenant_id, s.id, l.id
        HAVING bool_and(l.is_new)
           AND NOT EXISTS (SELECT FROM enrolments e WHERE e.sequence_id = s.id AND e.lead_id = l.id)
        ORDER BY s.id, l.id
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

-- Whom a merge left on the way with nothing that waits for them, and the walk not looking: it looks at them.
INSERT INTO walk_queue (is_new, enrolment_id)
SELECT false, e.id FROM enrolments e LEFT JOIN outbox o ON o.id = e.outbox_id
WHERE e.state = 'active' AND coalesce(o.state, '') NOT IN ('queued', 'sending')
  AND NOT EXISTS (SELECT FROM walk_queue q WHERE q.enrolment_id = e.id)
ORDER BY e.id;

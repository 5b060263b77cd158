-- As in migration 0039: what was and what is are not joined. A connection plans that once, for its first change of one row,
-- and then 20,000 leads (or steps that end) were compared each with each: 143 s.
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
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;

-- Open before and ended now: those stand there twice.
CREATE OR REPLACE FUNCTION queue_ended_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO walk_queue (is_new, enrolment_id)
    SELECT false, enrolment_id
    FROM (SELECT id, enrolment_id FROM moved_from WHERE state IN ('queued', 'sending')
          UNION ALL SELECT id, enrolment_id FROM moved_to WHERE state NOT IN ('queued', 'sending')) both_of_them
    WHERE enrolment_id IS NOT NULL
    GROUP BY id, enrolment_id HAVING count(*) = 2;
    IF FOUND THEN
        PERFORM pg_notify('wafast_walk', '');
    END IF;
    RETURN NULL;
END
$$;

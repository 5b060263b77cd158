-- Whether a person wants this lead in the sequence again, though it was in it before: maybe at another number, as another lead.
ALTER TABLE enrolments ADD COLUMN again bool NOT NULL DEFAULT false;
UPDATE enrolments e SET again = true
WHERE e.ended_at IS NULL AND e.step_id IS NULL
  AND EXISTS (SELECT FROM enrolments y WHERE y.sequence_id = e.sequence_id AND y.lead_id = e.lead_id AND y.id < e.id);

-- What kind of reason a row of the outbox, or somebody's way through a sequence, has ended for is one of these words, which
-- pages, counts and the walk know (outbox/rows.py: Cause, sequences/enrolments.py: Reason). Rows there are by now are looked
-- at in the next migration, as this one holds the tables.
ALTER TABLE outbox ADD CONSTRAINT outbox_cause_check CHECK (cause IN (
    'not_on_whatsapp', 'refused', 'reach_out', 'banned', 'media_gone', 'render', 'lead_gone', 'opted_out', 'replied',
    'by_person', 'parent_gone', 'device_gone', 'not_taken', 'not_arrived', 'number_changed', 'same_person', 'merged'
)) NOT VALID;
ALTER TABLE enrolments ADD CONSTRAINT enrolments_reason_check CHECK (reason IN (
    'by_person', 'replied', 'opted_out', 'not_on_whatsapp', 'same_person', 'sequence_deleted', 'merged', 'failed'
)) NOT VALID;

-- Rows from before: nobody is kept from reading and writing while millions of them are looked at.
ALTER TABLE outbox VALIDATE CONSTRAINT outbox_cause_check;
ALTER TABLE enrolments VALIDATE CONSTRAINT enrolments_reason_check;

-- How often WhatsApp did not take a row, of its attempts: those for which there was no connection are none of these, and a row
-- is not given up by them (outbox/send.py).
ALTER TABLE outbox ADD COLUMN refusals int4 NOT NULL DEFAULT 0;

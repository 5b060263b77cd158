-- What kind of reason `pause_reason` is: the page has words for each in every language. NULL: paused before there were kinds.
ALTER TABLE devices ADD COLUMN pause_cause text;

-- Why a file, or a row of one, is not taken is told as words for programs too (leads/causes.py): {kind, values}. What was
-- refused before has its sentence alone.
ALTER TABLE imports ADD COLUMN cause jsonb;
ALTER TABLE import_problems ADD COLUMN causes jsonb NOT NULL DEFAULT '[]';

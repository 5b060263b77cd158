-- Who wants nothing more is told so once. What is still to be told stands here from the instant its word counts, as it is
-- told in a transaction of its own (answers/follow.py): it was lost when the process was killed between the two.
-- The line may just be being deleted, which the word does not wait for: nothing refers to it.

CREATE TABLE opt_out_answers (
    id        int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id int4 NOT NULL,
    device_no int4 NOT NULL,
    jid       text NOT NULL,
    body      text NOT NULL,
    said_at   timestamptz NOT NULL
);

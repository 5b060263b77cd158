-- What is done to a message that is there leaves through the outbox as well: a reaction, an edit, a deletion for everyone.
-- `target` is WhatsApp's id of that message, in the chat `to_jid`; `body` is the emoji (empty takes it back) or the new words.
ALTER TABLE outbox
    ADD COLUMN target    text,
    ADD COLUMN forwarded bool NOT NULL DEFAULT false,
    DROP CONSTRAINT outbox_kind_check,
    DROP CONSTRAINT outbox_check;
ALTER TABLE outbox
    ADD CONSTRAINT outbox_kind_check CHECK (kind IN
        ('text', 'image', 'video', 'audio', 'voice', 'document', 'reaction', 'edit', 'delete')),
    ADD CONSTRAINT outbox_file_check CHECK
        (kind IN ('text', 'reaction', 'edit', 'delete') OR media_sha256 IS NOT NULL),
    ADD CONSTRAINT outbox_target_check CHECK ((kind IN ('reaction', 'edit', 'delete')) = (target IS NOT NULL));

-- Of a sound: how long it is, and its loudness in 64 steps from 0 to 100, as WhatsApp draws it.
ALTER TABLE media
    ADD COLUMN seconds  int4 CHECK (seconds >= 0),
    ADD COLUMN waveform bytea CHECK (length(waveform) = 64);

-- Answers a team writes often. `name` is what is typed after the slash.
CREATE TABLE quick_replies (
    id         int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id  int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    name       text NOT NULL CHECK (name = lower(name) AND name <> ''),
    body       text NOT NULL CHECK (body <> ''),
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, name)
);

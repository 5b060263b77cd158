-- What was read here and the phone was not told yet: the messages from a chat's last one read before. It is written in the
-- transaction that reads the chat, and goes when the device has told it, now or when it is online again.
CREATE TABLE untold_reads (
    chat_id   int8 PRIMARY KEY REFERENCES chats ON DELETE CASCADE,
    tenant_id int4 NOT NULL REFERENCES tenants ON DELETE CASCADE,
    device_no int4 NOT NULL REFERENCES devices (no) ON DELETE CASCADE,
    from_key  int8 NOT NULL,
    unread    int4 NOT NULL               -- how many there were; it only grows while the row is there
);
CREATE INDEX untold_reads_by_device ON untold_reads (device_no);

-- What is known of a chat has the LID of its number: one look instead of all LIDs of its device.
CREATE INDEX lid_numbers_by_number ON lid_numbers (device_no, number);

-- Where a person stands by a LID, for the moment its number is learned: looking through all rows of the device took 0.6 s for
-- each batch of a history of 200,000 messages. Few rows are in these: what is stored names people by their numbers where they are known.
CREATE INDEX messages_by_lid ON messages (device_no, sender) WHERE sender & 7 = 1;
CREATE INDEX messages_that_name_lids ON messages (device_no)
    WHERE reactions::text LIKE '%@lid"%' OR poll_votes::text LIKE '%@lid"%' OR (kind = 12 AND media::text LIKE '%@lid"%');

"""Rows of the outbox that a worker has claimed, without a worker: no other way leads out of the queue to a send."""

#: A statement; its condition follows.
CLAIMED = "UPDATE outbox SET state = 'sending', claim_worker = gen_random_uuid(), claim_epoch = 1, claimed_at = now()"

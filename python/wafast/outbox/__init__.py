"""The outbox: the only queue. Everything that leaves is a row here first."""

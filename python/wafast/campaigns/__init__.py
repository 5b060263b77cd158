"""Campaigns: one message to an audience at a time. They put rows into the outbox, and read how these fare."""

"""Chats, messages and media as people see them: reads, the read mark, files. What leaves goes through the outbox."""

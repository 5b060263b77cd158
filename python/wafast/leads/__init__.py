"""Leads: persons to write to, their tags, notes and segments, files of them, and who wants nothing more."""

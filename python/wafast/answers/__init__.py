"""What people write back to campaigns and sequences: who answered, and who wants nothing more."""

"""What wafast stands on, looked at: facts are gathered first, then judged by functions that touch nothing."""

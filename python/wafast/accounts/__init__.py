"""Who may do what: people and their logins, workspaces, API keys, the audit log."""

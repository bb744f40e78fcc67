"""Who may log in: local accounts with argon2 hashes. Knows nothing about tokens, HTTP or what a role may do."""

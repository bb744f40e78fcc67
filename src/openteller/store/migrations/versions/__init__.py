"""The migrations, oldest first by number. A migration is never edited once it has been released."""

"""Hand-offs: a person takes a conversation over, writes in it, and gives it back. Knows nothing about answering."""

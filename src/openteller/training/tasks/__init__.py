"""The kinds of training: each a head, a loss, a collator and figures."""

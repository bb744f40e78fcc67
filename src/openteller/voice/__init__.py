"""Voice: a customer speaks and is answered in speech. Text in, a stream of text out: it knows no assistant."""

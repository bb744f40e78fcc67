"""Background and scheduled work: what is done when, and the worker that does it. Knows nothing about the road."""

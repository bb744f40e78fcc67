"""What the assistant did over a stretch of time, in counts. Knows nothing about who asked, or what."""

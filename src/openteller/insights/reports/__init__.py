"""Reports: one record of what is to be told, drawn as HTML or PDF. Knows nothing about what is reported."""

"""The HTTP face: routes, tokens, limits, errors on the wire, metrics, and the widget's files. Knows no SQL."""

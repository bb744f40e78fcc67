"""From predictions to figures, intervals, slices and reports."""

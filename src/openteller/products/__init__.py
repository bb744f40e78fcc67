"""The product catalogue: records, figures in texts, names in texts, eligibility and the suitability wall.

Imports core and store only; knows nothing about customers beyond the plain facts handed to it.
"""

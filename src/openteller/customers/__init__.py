"""Customers: profile, risk assessment, consents, accounts and movements, and the behaviour that shows in them.

Imports core and store only; knows products by their identifier and nothing more.
"""

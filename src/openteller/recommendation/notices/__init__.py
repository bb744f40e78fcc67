"""Notices: what a product's new risk grade means to those who hold it, told to them. Knows nothing about how grades are made."""

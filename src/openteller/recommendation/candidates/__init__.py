"""Candidates: each generator scores every product for a customer from one point of view; ranking weighs the views."""

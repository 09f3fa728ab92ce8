"""Finds out with the user's own key what is not documented about Tess, and writes it to a profile."""

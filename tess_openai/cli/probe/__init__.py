"""Settles with the user's own key what nobody has recorded about Tess, and writes it down as a profile."""

"""Answers that take longer than a connection to Tess may be silent, or that are cut."""

"""Talks to an agent: once, from a pipe, or turn by turn."""

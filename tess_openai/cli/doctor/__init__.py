"""Finds out what is wrong, in order of cause: what is set, then what the network and Tess say to it."""

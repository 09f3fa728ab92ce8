"""Diagnose a set-up: check the settings first, then the network and Tess."""

"""Diagnoses a set-up in order of cause: the settings first, then the network and Tess."""

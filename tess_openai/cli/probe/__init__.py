"""Find out with the user's own key what is not documented about Tess, and write it to a profile."""

"""What Tess and OpenAI mean: pure rules, standard library only, no I/O, no clock, no environment."""

"""Legacy completions, the endpoint before chat: each prompt is a chat of one message."""

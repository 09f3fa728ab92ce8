"""Chat with an agent: one prompt, a pipe, or a conversation."""

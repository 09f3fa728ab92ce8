"""Legacy completions, OpenAI's endpoint before chat: each prompt becomes a chat with one message."""

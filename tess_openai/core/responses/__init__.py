"""The Responses API: a translation over the chat flow, and a store of earlier responses."""

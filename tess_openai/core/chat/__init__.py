"""Chat completions: the request side, the answer side, and the flow that joins them."""

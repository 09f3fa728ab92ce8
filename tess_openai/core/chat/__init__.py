"""Chat completions: translation of requests, completion of answers, and the flow between them."""

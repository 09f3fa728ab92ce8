"""What Tess lacks, done over plain messages: function calls, structured output, stop and length.

Nothing here knows of HTTP, streams of bytes or OpenAI's envelopes: text of the model goes in piece by piece,
text for the caller and one outcome come out. `docs/emulation.md` gives the protocol and its reasons.
"""

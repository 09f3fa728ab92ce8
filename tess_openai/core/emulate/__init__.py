"""Emulation of features that Tess lacks, over plain messages: function calls, JSON, stop and length.

An `AnswerReader` takes the text of the model piece by piece, and returns text for the caller and one outcome;
only `emulation_flow.py`, `collected_answer.py` and `response_writers.py` deal with requests and answers.
`docs/emulation.md` describes the protocol and the reasons for it.
"""

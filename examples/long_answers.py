"""Long answers: whole calls read as streams, and what becomes of one that is cut: docs/long-answers.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID.
"""

import openai

from tess_openai import changes_of, create_client

question = [{"role": "user", "content": "Tell me the whole story."}]

with create_client(long_answers="stream", on_cut="continue", timeout=90, max_answer_seconds=900) as client:
    print("A whole answer, fetched as a stream; if it were cut, paid calls would continue it")
    completion = client.chat.completions.create(model="tess-6", messages=question)
    print("  ", completion.choices[0].message.content)
    for change in changes_of(completion):
        print(f"   {change}")

    print("\nOne call that would rather have the text so far than pay again")
    try:
        completion = client.chat.completions.create(
            model="tess-6", messages=question, extra_body={"tess_openai": {"on_cut": "error"}}
        )
        print("  ", completion.choices[0].finish_reason)
    except openai.APIStatusError as error:
        print("  ", (error.body or {}).get("partial"))

with create_client(long_answers="poll", max_answer_seconds=3600) as client:
    print("\nAn execution whose state is asked for: no connection waits for it")
    for chunk in client.chat.completions.create(model="tess-6", messages=question, stream=True):
        for choice in chunk.choices:
            print("  ", choice.delta.content or choice.finish_reason)

"""What is sent, what is left out, and how it is reported: docs/parameters.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID.
"""

import warnings

import openai

from tess_openai import changes_of, create_client

QUESTION = {
    "model": "tess-6",
    "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hello."}],
    "temperature": 0.7,
    "seed": 42,
}

print("warn, the default")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    completion = create_client().chat.completions.create(**QUESTION)
for warning in caught:
    print("  ", warning.message)

print("\nThe ledger, on the answer: also what was only reworded")
for change in changes_of(completion):
    print(f"   {change.action:9} {change.param:13} {change.given:>9} -> {change.sent or 'not sent'}")

print("\nignore: the ledger only")
completion = create_client(unsupported="ignore").chat.completions.create(**QUESTION)
print("  ", len(changes_of(completion)), "changes,", completion.usage.total_tokens, "tokens")

print("\nerror: nothing is sent")
try:
    create_client(unsupported="error").chat.completions.create(**QUESTION)
except openai.BadRequestError as error:
    print(f"   {error.code}: {error.param}")

print("\nA word for each parameter, and for one call")
client = create_client(unsupported={"temperature": "ignore", "*": "error"})
completion = client.chat.completions.create(
    **QUESTION, extra_body={"tess_openai": {"unsupported": {"seed": "ignore"}}}
)
print("  ", completion.choices[0].message.content)

"""JSON that follows a schema, whatever the model writes around it, whole and in a stream: docs/emulation.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID, and `pip install "tess-openai[emulate]"`.
"""

from pydantic import BaseModel

from tess_openai import changes_of, create_client


class Recipe(BaseModel):
    """What is asked for."""

    name: str
    minutes: int
    ingredients: list[str]


FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "recipe", "schema": Recipe.model_json_schema(), "strict": True},
}
MESSAGES = [{"role": "user", "content": "A recipe for 'leek soup' in 25 minutes, of 'leeks' and 'potatoes'?"}]

client = create_client(emulate=True)

print("An object of your own class")
completion = client.chat.completions.create(model="tess-6", messages=MESSAGES, response_format=FORMAT)
recipe = Recipe.model_validate_json(completion.choices[0].message.content)
print(f"   {recipe.name}, {recipe.minutes} minutes: {', '.join(recipe.ingredients)}")
for change in changes_of(completion):
    print("  ", change)

print("\nIn a stream: JSON from the first byte to the last")
for chunk in client.chat.completions.create(
    model="tess-6", messages=MESSAGES, response_format=FORMAT, stream=True
):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()

print("\nTwo answers, each cut before its third step")
STEPS = [{"role": "user", "content": "Repeat these steps:\n1. Wash the leeks.\n2. Boil them.\n3. Serve."}]
completion = client.chat.completions.create(model="tess-6", messages=STEPS, n=2, stop="\n3.")
for choice in completion.choices:
    print(f"   {choice.index}: {choice.message.content!r} ({choice.finish_reason})")

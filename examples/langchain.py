"""LangChain's ChatOpenAI on a Tess agent: docs/frameworks/langchain.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID, and langchain-openai.
"""

import asyncio

from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI

from tess_openai import connection

tess = connection(unsupported="ignore")
model = ChatOpenAI(
    model="tess-6",
    temperature=0.2,
    base_url=tess["base_url"],
    api_key=tess["api_key"],
    http_client=tess["http_client"],
    http_async_client=tess["async_http_client"],
    use_responses_api=False,
)

print("A chain")
prompt = ChatPromptTemplate([("system", "You translate to {language}."), ("human", "{text}")])
answer = (prompt | model).invoke({"language": "Portuguese", "text": "Good morning."})
print("  ", answer.content)
print("  ", answer.usage_metadata)

print("\nA stream")
print("   ", end="")
for chunk in model.stream("Count the waves."):
    print(chunk.content, end="|")

print("\n\nThe agent's own tool")
print("  ", model.bind(extra_body={"tools": "internet"}).invoke("What is new?").content)

print("\nAsync")
print("  ", asyncio.run(model.ainvoke("Are you there?")).content)

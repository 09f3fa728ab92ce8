"""Calls of frameworks, and what is not OpenAI's in them."""

import litellm
from agents import Agent as OpenAIAgent
from agents import OpenAIChatCompletionsModel, OpenAIProvider, Runner, set_default_openai_client
from autogen_ext.models.openai import OpenAIChatCompletionClient
from browser_use import ChatOpenAI as BrowserChat
from crewai import LLM
from crewai import Agent as CrewAgent
from haystack.components.generators import OpenAIGenerator
from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
from langchain_openai import AzureChatOpenAI, AzureOpenAIEmbeddings, ChatOpenAI
from litellm import acompletion, completion
from llama_index.llms.openai import OpenAI as LlamaOpenAI
from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider as PydanticProvider

from tess_openai import create_async_client, presets

ask = [{"role": "user", "content": "Hello"}]
FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


class Shape(BaseModel):
    """An answer."""

    sides: int


def look(place: str) -> str:
    """Look."""
    return place


# LangChain
model = ChatOpenAI(model="gpt-4o")
model.invoke("Hello")  # verdict: as it is
model.invoke("Hello", stop=["x"])  # verdict: left out | emulated
model.bind_tools([look])  # verdict: needs emulation ? | emulated ?
model.with_structured_output(Shape)  # verdict: needs emulation | emulated
bound = model.bind_tools([look])  # verdict: needs emulation ? | emulated ?
bound.invoke("Hello")  # verdict: needs emulation ? | emulated ?
ChatOpenAI(model="gpt-4o", seed=1, temperature=0.5).stream("Hello")  # verdict: left out
ChatOpenAI(model="gpt-4o", **presets.langchain(42)).invoke("Hello")  # verdict: as it is
ChatOpenAI(model="gpt-4o", **presets.langchain(42, emulate=True)).with_structured_output(Shape)  # verdict: emulated
AzureChatOpenAI(azure_deployment="x").invoke("Hello")  # verdict: as it is
AzureOpenAIEmbeddings()
create_agent("openai:gpt-4o", tools=[look])
create_agent("anthropic:claude-4-sonnet", tools=[look])
create_agent(model, tools=[look])
init_chat_model("openai:gpt-4o").invoke("Hello")  # verdict: as it is
init_chat_model("anthropic:claude-4-sonnet").invoke("Hello", stop=["x"])
init_chat_model("claude-4-sonnet", model_provider="anthropic").bind_tools([look])


def chosen(name: str, provider: str) -> None:
    """Take the name of a model."""
    init_chat_model(name)
    init_chat_model(name, model_provider=provider).invoke("Hello", seed=1)  # verdict: left out
    Agent(name)
    completion(name, ask)  # verdict: as it is


# LlamaIndex
LlamaOpenAI(model="gpt-4o").complete("Hello")  # verdict: as it is
LlamaOpenAI(model="gpt-4o", temperature=0.1).chat(ask)  # verdict: left out

# Pydantic AI
Agent("openai:gpt-4o")
Agent("openai:gpt-4o", tools=[look], output_type=Shape)
Agent("anthropic:claude-4-sonnet")
Agent(OpenAIChatModel("gpt-4o", provider=PydanticProvider(openai_client=AsyncOpenAI())))
Agent(presets.pydantic_ai(42, model="tess-6"), tools=[look])

# the OpenAI Agents SDK
OpenAIAgent(name="Guide", instructions="Be brief.")
OpenAIAgent(name="Guide", model="gpt-4o", tools=[look])
OpenAIAgent(name="Guide", model=OpenAIChatCompletionsModel(model="gpt-4o", openai_client=AsyncOpenAI()))
OpenAIAgent(name="Guide", model=presets.openai_agents(42, model="tess-6"))
OpenAIProvider(openai_client=create_async_client(42))
set_default_openai_client(AsyncOpenAI())
Runner.run_sync(OpenAIAgent(name="Guide", model="litellm/anthropic/claude"), "Hello")

# CrewAI
LLM(model="gpt-4o")
LLM(model="openai/gpt-4o", temperature=0.7)
LLM(model="anthropic/claude-4-sonnet")
CrewAgent(role="r", goal="g", backstory="b", llm="gpt-4o")
CrewAgent(role="r", goal="g", backstory="b", llm=presets.crewai(42, model="tess-6"))

# LiteLLM
litellm.completion(model="gpt-4o", messages=ask)  # verdict: as it is
litellm.completion("openai/gpt-4o", ask, seed=1)  # verdict: left out
litellm.completion(model="anthropic/claude-4-sonnet", messages=ask, seed=1)
litellm.completion("openai/tess-6", ask, **presets.litellm(42))  # verdict: as it is
litellm.embedding(model="text-embedding-3-small", input=["x"])  # verdict: cannot
litellm.image_generation(model="dall-e-3", prompt="x")  # verdict: cannot
litellm.responses(model="gpt-4o", input="x")  # verdict: as it is
litellm.text_completion(model="gpt-3.5-turbo-instruct", prompt="x", suffix="y")  # verdict: left out


async def in_litellm() -> None:
    """Ask."""
    await acompletion(model="gpt-4o", messages=ask, tools=[FUNCTION])  # verdict: needs emulation | emulated
    await litellm.acompletion(model="azure/gpt-4o", messages=ask, response_format={"type": "json_object"})  # verdict: needs emulation | emulated
    await litellm.aembedding(model="cohere/embed", input=["x"])


# libraries whose calls are not followed
OpenAIChatCompletionClient(model="gpt-4o")
OpenAIGenerator(model="gpt-4o")
BrowserChat(model="gpt-4o")

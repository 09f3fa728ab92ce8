"""Agents of frameworks: their models, tools, types of answers and settings."""

from agents import Agent, Runner, RunConfig, OpenAIChatCompletionsModel, OpenAIProvider, MultiProvider, function_tool, set_default_openai_client, set_default_openai_api, ModelSettings, OpenAIResponsesModel, ModelProvider, Model
from agents.extensions.models.litellm_model import LitellmModel
from openai import AsyncOpenAI

client = AsyncOpenAI(base_url="https://api.deepseek.com")  # expect: openai.AsyncOpenAI base_url=rewritten openai.AsyncOpenAI=rewritten
set_default_openai_client(client)  # expect: agents.set_default_openai_client agents.set_default_openai_client=rewritten
set_default_openai_api("chat_completions")  # expect: agents.set_default_openai_api agents.set_default_openai_api=rewritten

@function_tool
def f(): ...

a = Agent(name="x", model="gpt-4o", tools=[f])  # expect: agents.Agent agents.Agent=rewritten tools=stripped?
b = Agent(name="x", model=OpenAIChatCompletionsModel(model="gpt-4o", openai_client=client))  # expect: agents.OpenAIChatCompletionsModel agents.OpenAIChatCompletionsModel=rewritten
c = Agent(name="x", model=LitellmModel(model="anthropic/claude", api_key="k"), tools=[f])
d = Agent(name="x", handoffs=[a, b], output_type=int, model_settings=ModelSettings(temperature=0.7, tool_choice="required"))  # expect: agents.Agent agents.Agent=rewritten response_format=stripped? temperature=rewritten tool_choice=stripped tools=stripped?
Runner.run_sync(a, "hi", run_config=RunConfig(model_provider=OpenAIProvider(use_responses=False)))  # expect: agents.OpenAIProvider agents.OpenAIProvider=rewritten
class P(ModelProvider):
    def get_model(self, name: str | None) -> Model:
        return OpenAIChatCompletionsModel(model=name or "m", openai_client=client)  # expect: agents.OpenAIChatCompletionsModel agents.OpenAIChatCompletionsModel=rewritten
a = Agent(name="x", model=OpenAIChatCompletionsModel(model="gpt-4o", openai_client=AsyncOpenAI()), tools=[f])  # expect: agents.Agent tools=stripped? | agents.OpenAIChatCompletionsModel agents.OpenAIChatCompletionsModel=rewritten | openai.AsyncOpenAI openai.AsyncOpenAI=rewritten
b = Agent(name="x", model=LitellmModel(model="openai/gpt-4o"), tools=[f])  # expect: agents.Agent tools=stripped? | agents.extensions.models.litellm_model.LitellmModel agents.extensions.models.litellm_model.LitellmModel=rewritten
c = Agent(name="x", output_type=dict)  # expect: agents.Agent agents.Agent=rewritten response_format=stripped?
import crewai
from typing import Generic, TypeVar
T = TypeVar('T')
from crewai import LLM, Crew
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.settings import ModelSettings as PydanticSettings
from langchain.agents import create_agent
from langchain.chat_models import init_chat_model
llm = LLM(model="gpt-4o", temperature=0.7)  # expect: crewai.LLM crewai.LLM=rewritten temperature=rewritten
llm2 = LLM(model="openai/gpt-4o-mini", base_url="https://api.groq.com/openai/v1")  # expect: crewai.LLM base_url=rewritten crewai.LLM=rewritten
llm3 = LLM(model="anthropic/claude")
a = crewai.Agent(role="r", goal="g", backstory="b", llm=llm, tools=[object()])  # expect: crewai.Agent tools=stripped?
b = crewai.Agent(role="r", goal="g", backstory="b", llm="gpt-4o")  # expect: crewai.Agent crewai.Agent=rewritten
c = crewai.Agent(role="r", goal="g", backstory="b", llm=llm3, tools=[object()])
d = crewai.Agent(role="r", goal="g", backstory="b")  # expect: crewai.Agent crewai.Agent=rewritten
class My:
    def agent(self): return crewai.Agent(config=self.cfg, llm=self.llm, tools=[1])  # expect: crewai.Agent crewai.Agent=unseen?
llm.call("hi")  # expect: call temperature=rewritten
Crew(agents=[a], tasks=[], manager_llm="gpt-4o")  # expect: crewai.Crew crewai.Crew=rewritten
Crew(agents=[a], tasks=[], manager_llm=LLM(model="gpt-4o"), function_calling_llm="gpt-4o")  # expect: crewai.LLM crewai.LLM=rewritten
class Out: ...
MODEL = "openai:gpt-4o"
NAME = "gpt-4o"
PydanticAgent("openai:gpt-4o", output_type=Out)  # expect: pydantic_ai.Agent pydantic_ai.Agent=rewritten response_format=stripped?
PydanticAgent("openai:gpt-4o", output_type=str)  # expect: pydantic_ai.Agent pydantic_ai.Agent=rewritten
PydanticAgent(MODEL, tools=[print], model_settings={"seed": 1})  # expect: pydantic_ai.Agent pydantic_ai.Agent=rewritten seed=stripped tools=stripped?
PydanticAgent("anthropic:claude", tools=[print])
PydanticAgent(OpenAIChatModel("gpt-4o"), tools=[print])  # expect: pydantic_ai.Agent tools=stripped? | pydantic_ai.models.openai.OpenAIChatModel pydantic_ai.models.openai.OpenAIChatModel=rewritten
PydanticAgent(model=OpenAIChatModel("gpt-4o"), model_settings=PydanticSettings(temperature=0.7))  # expect: pydantic_ai.Agent temperature=rewritten | pydantic_ai.models.openai.OpenAIChatModel pydantic_ai.models.openai.OpenAIChatModel=rewritten
create_agent(MODEL, [print])  # expect: langchain.agents.create_agent langchain.agents.create_agent=rewritten tools=stripped?
create_agent(model="openai:gpt-4o-mini", tools=[], response_format=Out)  # expect: langchain.agents.create_agent langchain.agents.create_agent=rewritten response_format=stripped?
create_agent(init_chat_model("anthropic:claude"), tools=[print])
create_agent(init_chat_model(f"openai:{NAME}"), tools=[print])  # expect: langchain.agents.create_agent tools=stripped? | langchain.chat_models.init_chat_model langchain.chat_models.init_chat_model=rewritten
create_agent("anthropic:claude", [print])
class Own(Generic[T]):
    def __init__(self, client: AsyncOpenAI): self.client = client
    def ask(self): return self.client.responses.create(model="tess-6", input="x", top_p=0.5)  # expect: responses.create top_p=stripped
Own[int](AsyncOpenAI()).ask()  # expect: openai.AsyncOpenAI openai.AsyncOpenAI=rewritten
PydanticAgent[int, str]("openai:gpt-4o", tools=[print])  # expect: pydantic_ai.Agent pydantic_ai.Agent=rewritten tools=stripped?
def later(model, **more):
    PydanticAgent(model)  # expect: pydantic_ai.Agent pydantic_ai.Agent=unseen?
    PydanticAgent(**more)  # expect: pydantic_ai.Agent pydantic_ai.Agent=unseen?
    create_agent(model, tools=[print])  # expect: langchain.agents.create_agent langchain.agents.create_agent=unseen?

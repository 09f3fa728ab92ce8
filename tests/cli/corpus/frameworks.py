"""LangChain, LlamaIndex, and wrappers of the SDK's client."""

import instructor
from langchain.chat_models import init_chat_model
from langchain_anthropic import ChatAnthropic
from langchain_openai import AzureChatOpenAI, ChatOpenAI, OpenAIEmbeddings
from langchain_openai import OpenAI as TextOpenAI
from langfuse.openai import OpenAI as Traced
from langsmith.wrappers import wrap_openai
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI as LlamaOpenAI
from llama_index.llms.openai_like import OpenAILike
from openai import OpenAI
from pydantic import BaseModel


class Shape(BaseModel):
    """An answer."""

    sides: int


model = ChatOpenAI(model="gpt-4o", temperature=0.2, max_tokens=100)  # expect: langchain_openai.ChatOpenAI langchain_openai.ChatOpenAI=rewritten temperature=rewritten max_tokens=stripped
ChatOpenAI(model_name="tess-6", openai_api_key="k", stop_sequences=["x"], streaming=True)  # expect: langchain_openai.ChatOpenAI langchain_openai.ChatOpenAI=rewritten api_key=rewritten stop=stripped
ChatOpenAI(model="tess-6", use_responses_api=True)  # expect: langchain_openai.ChatOpenAI langchain_openai.ChatOpenAI=rewritten
ChatOpenAI(model="tess-6", model_kwargs={"seed": 1}, extra_body={"tools": "internet"})  # expect: langchain_openai.ChatOpenAI langchain_openai.ChatOpenAI=rewritten seed=stripped
model.bind_tools([Shape])  # expect: bind_tools tools=stripped?
model.with_structured_output(Shape)  # expect: with_structured_output response_format=stripped
model.with_structured_output(Shape, method="function_calling")  # expect: with_structured_output tools=stripped
model.bind(stop=["x"])  # expect: bind stop=stripped
model.bind_tools([Shape]).with_structured_output(Shape)  # expect: bind_tools tools=stripped? | with_structured_output response_format=stripped
model.invoke("Hello")  # expect: invoke temperature=rewritten max_tokens=stripped
AzureChatOpenAI(azure_deployment="d")  # expect: langchain_openai.AzureChatOpenAI langchain_openai.AzureChatOpenAI=refused
OpenAIEmbeddings(model="tess-6")  # expect: langchain_openai.OpenAIEmbeddings langchain_openai.OpenAIEmbeddings=refused
TextOpenAI(model="tess-6")  # expect: langchain_openai.OpenAI langchain_openai.OpenAI=rewritten
init_chat_model("openai:gpt-4o", temperature=0)  # expect: langchain.chat_models.init_chat_model langchain.chat_models.init_chat_model=rewritten
init_chat_model("gpt-4o", model_provider="openai", seed=1)  # expect: langchain.chat_models.init_chat_model langchain.chat_models.init_chat_model=rewritten seed=stripped
init_chat_model("anthropic:claude", temperature=0.3)
ChatAnthropic(model="claude", temperature=0.3).bind_tools([Shape])

LlamaOpenAI(model="tess-6", temperature=0.1, additional_kwargs={"seed": 2})  # expect: llama_index.llms.openai.OpenAI llama_index.llms.openai.OpenAI=rewritten temperature=rewritten seed=stripped
OpenAILike(model="tess-6", api_base="https://example.com", max_tokens=3)  # expect: llama_index.llms.openai_like.OpenAILike llama_index.llms.openai_like.OpenAILike=rewritten base_url=rewritten max_tokens=stripped
OpenAIEmbedding()  # expect: llama_index.embeddings.openai.OpenAIEmbedding llama_index.embeddings.openai.OpenAIEmbedding=refused

Traced().chat.completions.create(model="tess-6", messages=[])  # expect: openai.OpenAI openai.OpenAI=rewritten | chat.completions.create
wrapped = wrap_openai(OpenAI())  # expect: openai.OpenAI openai.OpenAI=rewritten
wrapped.chat.completions.create(model="tess-6", messages=[], seed=1)  # expect: chat.completions.create seed=stripped
shaped = instructor.from_openai(OpenAI())  # expect: openai.OpenAI openai.OpenAI=rewritten
shaped.chat.completions.create(model="tess-6", messages=[], response_model=Shape, max_retries=2)  # expect: chat.completions.create response_model=stripped?


def again(how: str, **options: object) -> None:
    """What depends on values that are not seen."""
    model.with_structured_output(Shape, method="json_mode")  # expect: with_structured_output response_format=stripped
    model.with_structured_output(Shape, method=how)  # expect: with_structured_output response_format=stripped?
    model.with_structured_output(Shape, **options)  # expect: with_structured_output response_format=stripped?
    model.invoke("x", stop=["y"])  # expect: invoke temperature=rewritten max_tokens=stripped stop=stripped
    model.bind_tools([Shape]).stream("x", seed=1, config={})  # expect: bind_tools tools=stripped? | stream temperature=rewritten max_tokens=stripped tools=stripped? seed=stripped
    LlamaOpenAI().complete("x", top_p=0.2)  # expect: llama_index.llms.openai.OpenAI llama_index.llms.openai.OpenAI=rewritten | complete top_p=stripped


class Mine(ChatOpenAI):
    """Is a model."""


Mine(temperature=0.7).invoke("x", seed=1)  # expect: langchain_openai.ChatOpenAI langchain_openai.ChatOpenAI=rewritten temperature=rewritten | invoke temperature=rewritten seed=stripped

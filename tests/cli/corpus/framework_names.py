"""The same classes of frameworks under all the modules that offer them."""

import langchain_community.chat_models
from langchain.chat_models.openai import ChatOpenAI as A
from langchain.embeddings import init_embeddings
from langchain.embeddings.openai import OpenAIEmbeddings as B
from langchain.llms.openai import OpenAI as C
from langchain_classic.chat_models import init_chat_model
from langchain_community.embeddings.openai import OpenAIEmbeddings as D
from langchain_community.llms.openai import OpenAI as E
from langchain_openai import AzureOpenAI as F
from langchain_openai.chat_models.azure import AzureChatOpenAI as G
from langchain_openai.embeddings.base import OpenAIEmbeddings as H
from langchain_openai.llms.base import BaseOpenAI, OpenAI as I
from langchain_openai.output_parsers import PydanticToolsParser
from llama_index.core.llms import ChatMessage
from llama_index.embeddings.azure_openai import AzureOpenAIEmbedding as J
from llama_index.llms.azure_openai import AzureOpenAI as K
from llama_index.llms.openai.base import OpenAI as L
from llama_index.llms.openai.responses import OpenAIResponses as M

A()  # expect: langchain.chat_models.openai.ChatOpenAI langchain.chat_models.openai.ChatOpenAI=rewritten
B()  # expect: langchain.embeddings.openai.OpenAIEmbeddings langchain.embeddings.openai.OpenAIEmbeddings=refused
C()  # expect: langchain.llms.openai.OpenAI langchain.llms.openai.OpenAI=rewritten
D()  # expect: langchain_community.embeddings.openai.OpenAIEmbeddings langchain_community.embeddings.openai.OpenAIEmbeddings=refused
E()  # expect: langchain_community.llms.openai.OpenAI langchain_community.llms.openai.OpenAI=rewritten
F()  # expect: langchain_openai.AzureOpenAI langchain_openai.AzureOpenAI=refused
G()  # expect: langchain_openai.chat_models.azure.AzureChatOpenAI langchain_openai.chat_models.azure.AzureChatOpenAI=refused
H()  # expect: langchain_openai.embeddings.base.OpenAIEmbeddings langchain_openai.embeddings.base.OpenAIEmbeddings=refused
I()  # expect: langchain_openai.llms.base.OpenAI langchain_openai.llms.base.OpenAI=rewritten
J()  # expect: llama_index.embeddings.azure_openai.AzureOpenAIEmbedding llama_index.embeddings.azure_openai.AzureOpenAIEmbedding=refused
K()  # expect: llama_index.llms.azure_openai.AzureOpenAI llama_index.llms.azure_openai.AzureOpenAI=refused
L(temperature=0.7)  # expect: llama_index.llms.openai.base.OpenAI llama_index.llms.openai.base.OpenAI=rewritten temperature=rewritten
M()  # expect: llama_index.llms.openai.responses.OpenAIResponses llama_index.llms.openai.responses.OpenAIResponses=rewritten
BaseOpenAI()  # expect: langchain_openai.llms.base.BaseOpenAI langchain_openai.llms.base.BaseOpenAI=rewritten
langchain_community.chat_models.ChatOpenAI(stop=["x"])  # expect: langchain_community.chat_models.ChatOpenAI langchain_community.chat_models.ChatOpenAI=rewritten stop=stripped
init_embeddings("openai:text-embedding-3-small")  # expect: langchain.embeddings.init_embeddings langchain.embeddings.init_embeddings=refused
init_embeddings(model="text-embedding-3-small", provider="openai")  # expect: langchain.embeddings.init_embeddings langchain.embeddings.init_embeddings=refused
init_embeddings("cohere:embed")
init_chat_model("openai:gpt-4o")  # expect: langchain_classic.chat_models.init_chat_model langchain_classic.chat_models.init_chat_model=rewritten
PydanticToolsParser(tools=[])
ChatMessage(content="x")

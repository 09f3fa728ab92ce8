"""Where it is used, by import."""

import shop.llm
from shop import shared
from shop.llm import Gateway

from . import llm
from .llm import client as imported

imported.chat.completions.create(model="tess-6", messages=[], seed=1)  # expect: chat.completions.create seed=stripped
llm.client.chat.completions.create(model="tess-6", messages=[])  # expect: chat.completions.create
shop.llm.client.embeddings.create(model="tess-6", input="x")  # expect: embeddings.create embeddings.create=refused
shared.embeddings.create(model="tess-6", input="x")  # expect: embeddings.create embeddings.create=refused
Gateway().connect().moderations.create(input="x")  # expect: moderations.create moderations.create=refused

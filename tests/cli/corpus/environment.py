"""Variables of the environment: what reads, sets or names them, and what only has the word in it."""

import logging
import os
from os import environ as surroundings
from unittest.mock import patch

import click
from decouple import config
from pydantic import AliasChoices, BaseModel, Field

NAME = "OPENAI_API_KEY"
MORE = {"OPENAI_BASE_URL": "x", "OTHER": "y"}

os.environ[NAME]  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
os.getenv(NAME, "x")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
surroundings["OPENAI_ORG_ID"] = "x"  # expect: OPENAI_ORG_ID OPENAI_ORG_ID=unread
os.environb[b"OPENAI_API_KEY"]  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
os.environ.update({"OPENAI_API_KEY": "x", "HOME": "y", **MORE})  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread OPENAI_BASE_URL=unread
os.environ.update(OPENAI_API_KEY="x")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
os.environ.update(MORE)  # expect: OPENAI_BASE_URL OPENAI_BASE_URL=unread
os.environ |= {"OPENAI_API_KEY": "x"}  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
os.environ.setdefault("OPENAI_API_KEY", "x")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
os.environ.pop("OPENAI_API_KEY", None)  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
os.putenv("OPENAI_API_KEY", "x")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
del os.environ["OPENAI_API_KEY"]  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
copied = os.environ.copy()
copied["OPENAI_API_KEY"] = "x"  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
config("OPENAI_API_KEY")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread

with patch.dict(os.environ, {"OPENAI_API_KEY": "x"}):  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    pass
with patch.dict("os.environ", OPENAI_API_KEY="x"):  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    pass


class Settings(BaseModel):
    """Read by pydantic."""

    key: str = Field(alias="OPENAI_API_KEY")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    other: str = Field(validation_alias=AliasChoices("OPENAI_BASE_URL", "x"))  # expect: OPENAI_BASE_URL OPENAI_BASE_URL=unread


@click.option("--key", envvar="OPENAI_API_KEY")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
def run(key: str, monkeypatch, app, missing: list, secrets) -> None:
    """Take what others read."""
    monkeypatch.setenv("OPENAI_API_KEY", "x")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    monkeypatch.setitem(os.environ, "OPENAI_API_KEY", "x")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    app.config["OPENAI_API_KEY"]  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    app.settings.get("OPENAI_API_KEY")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    secrets["OPENAI_API_KEY"]  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    app.requireEnv("OPENAI_API_KEY")  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    missing.append("OPENAI_API_KEY")
    app.rows.get("OPENAI_API_KEY")
    "OPENAI_API_KEY" in missing


log = logging.getLogger("OPENAI_API_KEY")
log.info("OPENAI_API_KEY")
print("OPENAI_API_KEY")
plain = {"OPENAI_API_KEY": "x"}
plain["OPENAI_API_KEY"]
plain.get("OPENAI_API_KEY")
"OPENAI_API_KEY" in plain
settings = {}
settings["OPENAI_API_KEY"] = "x"
if not plain:
    raise EnvironmentError("OPENAI_API_KEY")
os.environ["HOME"]
os.path.join("OPENAI_API_KEY", "x")

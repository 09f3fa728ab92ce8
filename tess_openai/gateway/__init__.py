"""A gateway: one address that speaks OpenAI's HTTP API, for programs in any language.

It is the adapter behind an ASGI application. Needs the extra `gateway`.

    uvicorn --factory my_module:make_app      with    def make_app(): return create_app(8794)
    tess-openai serve --agent 8794
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tess_openai.gateway.asgi_app import create_app

__all__ = ["create_app"]


if not TYPE_CHECKING:  # `serve --check` reads the settings without the web framework

    def __getattr__(name: str) -> object:
        if name != "create_app":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            from tess_openai.gateway.asgi_app import create_app
        except ModuleNotFoundError as error:
            message = (
                f"the gateway is an extra, and {error.name} is not installed; install it with: "
                "pip install 'tess-openai[gateway]'"
            )
            raise ModuleNotFoundError(message, name=error.name) from error
        return create_app

"""The simulated agents, in the shape that Get Agent documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tess_openai.core.jsons import JSONObject
from tess_openai.testing.simulator_profile import SIMULATOR_WORKSPACE_ID

Option: TypeAlias = str | Mapping[str, str]
"""`"0.5"` (documented) or `{"value": "0.5", "label": "balanced"}` (reported)."""

TEMPERATURES: Final = ("0", "0.25", "0.5", "0.75", "1")
MODELS: Final = ("tess-6", "tess-5", "gpt-4o", "gpt-4o-mini", "claude-4.5-haiku", "gemini-2.5-flash")
TOOLS: Final = ("no-tools", "internet", "twitter", "wikipedia", "reddit", "deep_analysis")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedQuestion:
    """One field of an agent's body.

    Attributes:
        name: The root field it names.
        type: The type of its values.
        required: Whether the agent declares it as required; the profile decides whether that is enforced.
        options: The options of a select; None for the other types.
        is_field_for_training: `isFieldForTraining` of text agents (observed); None omits it.
    """

    name: str
    type: Literal["select", "number", "text", "textarea", "boolean", "array", "object"]
    required: bool = False
    options: tuple[Option, ...] | None = None
    description: str = ""
    is_field_for_training: bool | None = None

    @property
    def values(self) -> tuple[str, ...]:
        """Return the values that a request may send."""
        return tuple(each if isinstance(each, str) else each["value"] for each in self.options or ())

    def to_json(self) -> JSONObject:
        """Return the JSON object of Get Agent."""
        answer: JSONObject = {
            "type": self.type,
            "name": self.name,
            "description": self.description or self.name,
            "required": self.required,
        }
        if self.options is not None:
            answer["options"] = [each if isinstance(each, str) else dict(each) for each in self.options]
        if self.is_field_for_training is not None:
            answer["isFieldForTraining"] = self.is_field_for_training
        return answer


def select(name: str, options: Sequence[Option], *, required: bool = True) -> SimulatedQuestion:
    """Build a question with a closed set of answers."""
    return SimulatedQuestion(name=name, type="select", required=required, options=tuple(options))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedAgent:
    """One agent.

    Attributes:
        id: The number in the path.
        visibility: "private" hides it from every workspace but its own.
        questions: Its questions besides `messages` and `root_id`, which every agent has.
        default_model: The model that runs when none is sent; a fixed-model agent always runs it.
    """

    id: int
    title: str = "A simulated agent"
    type: Literal["chat", "image", "text", "video"] = "chat"
    slug: str = ""
    description: str = ""
    visibility: Literal["public", "private"] = "public"
    workspace_id: int = SIMULATOR_WORKSPACE_ID
    active: bool = True
    questions: tuple[SimulatedQuestion, ...] = ()
    default_model: str = MODELS[0]

    @classmethod
    def chat(
        cls,
        agent_id: int,
        *,
        title: str = "A simulated chat agent",
        temperatures: Sequence[Option] = TEMPERATURES,
        models: Sequence[Option] = MODELS,
        tools: Sequence[Option] = TOOLS,
        custom: Sequence[SimulatedQuestion] = (),
        default_model: str | None = None,
    ) -> SimulatedAgent:
        """Build a chat agent; an empty list of options omits that question."""
        offered = {"temperature": temperatures, "model": models, "tools": tools}
        selects = [select(name, options) for name, options in offered.items() if options]
        known = [question for question in selects if question.name == "model"]
        first = known[0].values[0] if known else MODELS[0]
        return cls(
            id=agent_id,
            title=title,
            questions=(*selects, *custom),
            default_model=first if default_model is None else default_model,
        )

    def question(self, name: str) -> SimulatedQuestion | None:
        """Return the question of that name; None when the agent has none."""
        return next((each for each in self.questions if each.name == name), None)

    def to_json(self) -> JSONObject:
        """Return the JSON object of Get Agent."""
        shared = (
            SimulatedQuestion(name="messages", type="array", required=True),
            SimulatedQuestion(name="root_id", type="number"),
        )
        return {
            "id": self.id,
            "workspace_id": self.workspace_id,
            "slug": self.slug or f"simulated-agent-{self.id}",
            "title": self.title,
            "description": self.description or self.title,
            "long_description": self.description or self.title,
            "type": self.type,
            "visibility": self.visibility,
            "active": self.active,
            "questions": [each.to_json() for each in (*self.questions, *shared)],
        }


DEFAULT_AGENTS: Final = (
    SimulatedAgent.chat(42, title="Chat with the documented options"),
    SimulatedAgent.chat(43, title="Chat with a fixed model", models=(), default_model="tess-ai-3"),
    SimulatedAgent.chat(44, title="Chat with temperatures 0 and 1", temperatures=("0", "1")),
    SimulatedAgent(
        id=45,
        title="Text with required fields of its own",
        type="text",
        questions=(
            SimulatedQuestion(
                name="nome-da-empresa", type="text", required=True, is_field_for_training=False
            ),
            SimulatedQuestion(name="paragraphs", type="number"),
            select("language", ("English", "Português (Brasil)", "Español"), required=False),
            select("temperature", TEMPERATURES, required=False),
        ),
    ),
    SimulatedAgent(
        id=46,
        title="Chat private to another workspace",
        visibility="private",
        workspace_id=SIMULATOR_WORKSPACE_ID + 1,
        questions=SimulatedAgent.chat(0).questions,
    ),
    SimulatedAgent(
        id=47, title="Image, not chat", type="image", questions=(select("size", ("small", "large")),)
    ),
    SimulatedAgent.chat(
        48,
        title="Chat with labelled options and a required field of its own",
        temperatures=({"value": "0", "label": "precise"}, {"value": "1", "label": "creative"}),
        custom=(SimulatedQuestion(name="audience", type="text", required=True),),
    ),
)
"""The agents of a simulator by default; 42 is the one to start with."""

"""Agents: what one offers, a model it does not have, several agents on one client: docs/agents.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID.
"""

import openai

from tess_openai import Agent, create_client, get_agent, list_agents

HELLO = [{"role": "user", "content": "Which agent are you?"}]


def show(agent: Agent) -> None:
    """Print what an agent offers."""
    print(f"   {agent.id:>6}  {agent.title}")
    for name, options in [
        ("models", agent.models or ("fixed",)),
        ("temperatures", agent.temperatures),
        ("tools", agent.tools),
        ("requires", tuple(field.name for field in agent.required)),
    ]:
        if options:
            print(f"           {name:13} {', '.join(options)}")


def main() -> None:
    """Look at agents, then call some of them through one client."""
    own = get_agent()
    print("This agent")
    show(own)

    print("\nAll chat agents that this key sees")
    others = [agent for agent in list_agents(type="chat") if agent.id != own.id]
    for agent in others[:5]:
        show(agent)

    with create_client(agent=own, models={"gpt-3.5-turbo": None}) as client:
        print("\nA model that the agent does not have is refused before it costs anything")
        try:
            client.chat.completions.create(model="gpt-4", messages=HELLO)
        except openai.NotFoundError as error:
            print("  ", error)

        print("\n... or left to the agent, because models= says so")
        answer = client.chat.completions.create(model="gpt-3.5-turbo", messages=HELLO)
        print("  ", answer.choices[0].message.content)

        print("\nThe models that a program sees")
        print("  ", ", ".join(model.id for model in client.models.list()))

    print("\nSeveral agents, one client, one pool of connections")
    names = {agent.slug: agent.id for agent in others if not agent.required}
    with create_client(agent="fetch", agents=names) as client:
        for model in [f"agent:{own.id}", f"agent:{own.slug}", *names][:5]:
            answer = client.chat.completions.create(model=model, messages=HELLO)
            print(f"   {model:24} {answer.choices[0].message.content}")


main()

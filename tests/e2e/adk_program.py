"""A program of google-adk that talks with an agent of Aegis by A2A: two turns, then what it heard."""

import asyncio
import json
import os
import sys

import httpx
from google.adk.agents.remote_a2a_agent import RemoteA2aAgent
from google.adk.runners import InMemoryRunner
from google.genai import types


async def main() -> None:
    card = f"{os.environ['AEGIS_URL']}/a2a/assistant/.well-known/agent-card.json"
    headers = {"Authorization": f"Bearer {os.environ['AEGIS_TOKEN']}"}
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as web:
        agent = RemoteA2aAgent("assistant", agent_card=card, httpx_client=web)
        runner = InMemoryRunner(agent=agent, app_name="adk")
        session = await runner.session_service.create_session(app_name="adk", user_id="one")
        heard = [await said(runner, session.id, text) for text in sys.argv[1:]]
    sys.stdout.write(f"{json.dumps(heard)}\n")


async def said(runner: InMemoryRunner, session: str, text: str) -> str:
    """What is answered to a text."""
    message = types.Content(role="user", parts=[types.Part(text=text)])
    pieces: list[str] = []
    async for event in runner.run_async(user_id="one", session_id=session, new_message=message):
        if event.error_message:
            raise SystemExit(event.error_message)
        if event.content:
            pieces += [part.text or "" for part in event.content.parts or []]
    return "".join(pieces)


asyncio.run(main())

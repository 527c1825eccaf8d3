"""Programs that connect as one component, in three languages, as its page shows them."""

import json
from typing import NamedTuple

from django.http import HttpRequest

from components.core.lifecycle import Role
from components.models import Component


def environment(request: HttpRequest, token: str) -> str:
    """What a program is told from outside, for a shell: where this server is, and its token."""
    url = request.build_absolute_uri("/").rstrip("/")
    return f"export AEGIS_URL={url}\nexport AEGIS_SESSION_TOKEN={token}"


class Snippet(NamedTuple):
    """One program: its key in the page, its language, and what it says."""

    key: str
    title: str
    text: str


SDK_FEED = """\
import asyncio
from components.sdk import Component


async def main():
    async with Component({name}, role={role}) as component:
        await component.running()
        await component.publish({topic}, {{"price": "97000.10"}})


asyncio.run(main())
"""
SDK = """\
import asyncio
from components.sdk import Component


async def main():
    async with Component({name}, role={role}, topics=["**"]) as component:
        async for record in component.records():
            print(record.topic, record.seq, record.data)


asyncio.run(main())
"""
SOCKET = """\
import json, os
from websockets.sync.client import connect  # pip install websockets

url = os.environ["AEGIS_URL"].replace("http", "ws", 1)
token = os.environ["AEGIS_SESSION_TOKEN"]
register = {{"session_token": token, "name": {name}, "role": {role}, "topics": {topics}}}
with connect(f"{{url}}/ws/control") as control:
    control.send(json.dumps(register))
    ack = json.loads(control.recv())
    with connect(url + ack["data_socket"]) as data:
        data.send(json.dumps({{"session_token": token, "component_id": ack["component_id"]}}))
        print(data.recv())
        control.send('{{"COMMAND":"READY"}}')
        for frame in data:
            print(frame)
"""
NODE = """\
// Node 22, no package
const url = process.env.AEGIS_URL.replace("http", "ws");
const session_token = process.env.AEGIS_SESSION_TOKEN;
const say = (socket, frame) => socket.send(JSON.stringify(frame));
const control = new WebSocket(`${{url}}/ws/control`);
control.onopen = () => say(control, {{ session_token, name: {name}, role: {role}, topics: {topics} }});
control.onmessage = (told) => {{
  const ack = JSON.parse(told.data);
  if (ack.COMMAND !== "ACK") return;
  const data = new WebSocket(url + ack.data_socket);
  data.onopen = () => say(data, {{ session_token, component_id: ack.component_id }});
  data.onmessage = (event) => {{
    const frame = JSON.parse(event.data);
    if (frame.COMMAND === "ACK") say(control, {{ COMMAND: "READY" }});
    else console.log(frame);
  }};
}};
"""


def of(component: Component) -> list[Snippet]:
    """The programs that connect as this component; address and token are read from outside."""
    is_feed = component.role == Role.FEED
    words = {
        "name": json.dumps(component.name),
        "role": json.dumps(component.role),
        "topic": json.dumps("prices.EXAMPLE"),
        "topics": json.dumps(component.topics or ["klines.BTCUSDT.1m"]),
    }
    programs = (
        ("sdk", "Python, with the SDK", SDK_FEED if is_feed else SDK),
        ("socket", "Python, without it", SOCKET),
        ("node", "JavaScript", NODE),
    )
    return [Snippet(key, title, text.format(**words)) for key, title, text in programs]

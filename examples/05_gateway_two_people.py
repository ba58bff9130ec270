"""The stock OpenAI client as two people, against a gateway of our own."""

import os
import subprocess
import sys
import tempfile

from openai import OpenAI

folder = tempfile.mkdtemp()
settings = {**os.environ, "BEFIT_POLICY": '{"use": "toy"}', "BEFIT_SERVER__PORT": "0"}


def befit(*words: str) -> str:
    """Run a command in the folder of this example."""
    done = subprocess.run(
        [sys.executable, "-m", "befit", *words],
        cwd=folder,
        env=settings,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


keys = {name: befit("key", "create", name) for name in ("ana", "ben")}
befit("remember", "ana", "Keep it short, please.")
befit("remember", "ben", "Please be warm and friendly.")
server = subprocess.Popen(
    [sys.executable, "-m", "befit", "serve"],
    cwd=folder,
    env=settings,
    stdout=subprocess.PIPE,
    text=True,
)
try:
    assert server.stdout is not None
    url = server.stdout.readline().split()[-1]
    for name, key in keys.items():
        with OpenAI(base_url=url, api_key=key) as client:
            reply = client.chat.completions.with_raw_response.create(
                model="befit", messages=[{"role": "user", "content": "How can I sleep better?"}]
            )
            used = reply.headers.get("x-befit-beliefs-used")
            print(f"{name}: {used}: {reply.parse().choices[0].message.content!r}")
finally:
    server.terminate()
    server.wait(timeout=20)

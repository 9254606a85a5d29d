"""What importing a plugin costs and does, seen in a fresh interpreter."""

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

from attrs import frozen

SECONDS = 60
"""For the interpreter to come back: an import may block."""

_PROGRAM = r"""
import contextlib, importlib.util, io, json, sys, threading, time
module, file, sys.path[:] = json.loads(sys.argv[1])
import channelry.hookspecs, channelry.config, anyio, attrs, orjson
effects = []
def watch(event, args):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.fork"):
        effects.append(event)
    if event in ("os.mkdir", "os.remove", "os.rename", "shutil.rmtree") and "__pycache__" not in str(args[0]):
        effects.append(f"{event} {args[0]}")
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        effects.append(f"writes {args[0]}")
sys.addaudithook(watch)
said, began, threads = io.StringIO(), time.process_time(), threading.active_count()
try:
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            found = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            found = None
        if found is not None:
            importlib.import_module(module)
        else:
            found = importlib.util.spec_from_file_location(module, file)
            made = sys.modules[module] = importlib.util.module_from_spec(found)
            found.loader.exec_module(made)
except BaseException as error:
    effects.append(f"raises {type(error).__name__}: {error}")
if said.getvalue():
    effects.append("prints " + repr(said.getvalue()[:60]))
if threading.active_count() > threads:
    effects.append("starts a thread")
print(json.dumps([time.process_time() - began, effects]))
"""


@frozen
class Loading:
    """What an import took (seconds of CPU) and did (connections, files written, output, threads, errors)."""

    seconds: float
    effects: Sequence[str]


@cache
def load(module: str, file: str) -> Loading:
    """Import a module by name, or from its file where it has no importable name (a test module)."""
    command = [sys.executable, "-c", _PROGRAM, json.dumps([module, file, sys.path])]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Loading(SECONDS, [f"does not end within {SECONDS} s"])
    if ran.returncode:
        return Loading(0, [f"ends the interpreter: {ran.stderr.strip()[-200:]}"])
    return Loading(*json.loads(ran.stdout.splitlines()[-1]))

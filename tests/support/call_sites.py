"""Where the domain calls a port or opens a transaction: read from its source, and from a running stack."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[2]
DOMAIN = ROOT / "domain"
RECORDINGS = DOMAIN / "recordings"
# Recordings die on the real servers, in tests/recordings/processes: the simulator has no recorder. Keys are rotated by a command, and
# streams die in tests/streams, their clips in tests/playback.
RECONCILER = DOMAIN / "reconciler"
STREAMS = (
    DOMAIN / "streams",
    RECONCILER / "streams.py",
    RECONCILER / "audiences.py",
    DOMAIN / "timeouts" / "streams.py",
    DOMAIN / "webhooks" / "streams",
)
ELSEWHERE = (RECORDINGS, DOMAIN / "sealing", *STREAMS)
OF_CALLS = tuple(path for path in sorted(DOMAIN.rglob("*.py")) if not any(path.is_relative_to(room) for room in ELSEWHERE))
# What a port is called where its requests are named.
PORTS = {"rooms": "rooms", "recorder": "egress"}


def site(frame: FrameType | None) -> str:
    """The innermost function of the domain on this stack, as `domain.calls.actions.kick.remove`; empty when there is none."""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(DOMAIN):
            return f"{module(path)}.{frame.f_code.co_qualname.split('.')[0]}"
        frame = frame.f_back
    return ""


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def of_recordings(*rooms: str) -> tuple[Path, ...]:
    """The sources in these rooms of `domain/recordings`; of all of it when none is named."""
    return tuple(path for room in rooms or ("",) for path in sorted((RECORDINGS / room).rglob("*.py")))


def port_calls(sources: Iterable[Path] = OF_CALLS) -> set[str]:
    """`rooms.remove_participant@domain.calls.actions.kick.remove` for each call of a port in the source."""
    return {f"{port}@{where}" for where, call in _calls(sources) if (port := _port_call(call))}


def transactions(sources: Iterable[Path] = OF_CALLS) -> list[str]:
    """The name of each transaction in the source; a part that is only known at run time is `*`."""
    named = [call for _, call in _calls(sources) if isinstance(call.func, ast.Attribute) and call.func.attr == "transaction" and call.args]
    return [_text(call.args[0]) for call in named]


def _calls(sources: Iterable[Path]) -> Iterator[tuple[str, ast.Call]]:
    for path in sources:
        for function in ast.parse(path.read_text()).body:
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from (
                    (f"{module(path)}.{_runs_in(function, node)}", node) for node in ast.walk(function) if isinstance(node, ast.Call)
                )


def _runs_in(function: ast.AST, call: ast.Call) -> str:
    """The function whose frame awaits the call: a coroutine that is handed over runs in the one that takes it."""
    for taker in ast.walk(function):
        if isinstance(taker, ast.Call) and taker is not call and isinstance(taker.func, ast.Name) and _hands_over(taker, call):
            return taker.func.id
    return str(getattr(function, "name", ""))


def _hands_over(taker: ast.Call, call: ast.Call) -> bool:
    arguments = [node for argument in taker.args for node in ast.walk(argument)]
    awaited = {node.value for node in arguments if isinstance(node, ast.Await)}
    return call in arguments and call not in awaited


def _port_call(call: ast.Call) -> str | None:
    """`world.rooms.<method>(…)` or `recorder.<method>(…)`: the ports that LiveKit is asked through."""
    if not isinstance(call.func, ast.Attribute):
        return None
    port = call.func.value
    if isinstance(port, ast.Attribute) and port.attr in PORTS:
        return f"{PORTS[port.attr]}.{call.func.attr}"
    # Handed on by those who have seen that there is one.
    return f"{PORTS[port.id]}.{call.func.attr}" if isinstance(port, ast.Name) and port.id == "recorder" else None


def _text(argument: ast.expr) -> str:
    if isinstance(argument, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in argument.values)
    assert isinstance(argument, ast.Constant), ast.dump(argument)
    return str(argument.value)

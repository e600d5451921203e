"""What is asked of the service, each trial a line or a few; True when it is as good as it has to be."""

import asyncio

import psutil

from bench.fanout.candidates import Candidate
from bench.fanout.measuring import Measured, all_received, cpu_of, emit, measure, settle, swarm

# Of the bare event loop, and of npm's graphql-ws.
OF_CEILING, OF_GRAPHQL_WS = 0.6, 5.0
# What peers are asked for: as much as they can send without falling behind.
PEERS_DELIVERIES = 4000
# A hot room: deliveries a CPU second at so many events a second, and seconds of p99 beyond one write an event.
HOT_SOCKETS, HOT_GOALS, HOT_DELAY = 2000, {50.0: 250_000, 100.0: 400_000}, 0.06
CROWD, CROWD_RATE, CROWD_P99 = 10_000, 10.0, 0.25
IDLE_SOCKETS, IDLE_SECONDS, IDLE_GOAL, IDLE_BYTES = 2000, 10.0, 0.03, 36 * 1024
STEADY_SOCKETS, STEADY_EVENTS, STEADY_RATE, STEADY_BYTES = 100, 20_000, 500.0, 8 << 20


async def compare(service: Candidate, ceiling: Candidate, peers: list[Candidate], sockets: list[int], rate: float, seconds: float) -> bool:
    """One event after the other, beside the bare event loop and peers."""
    well = True
    for many in sockets:
        ours, bare = await _told(service, many, rate, seconds), await _told(ceiling, many, rate, seconds)
        ratio = ours.per_cpu_second / bare.per_cpu_second
        _say(f"{many} sockets, {rate:.0f}/s: {ratio:.2f} of the ceiling (goal {OF_CEILING})")
        well = well and ratio >= OF_CEILING and ours.is_whole
        for peer in peers:
            theirs = await _told(peer, many, min(rate, PEERS_DELIVERIES / many), seconds)
            times = ours.per_cpu_second / theirs.per_cpu_second
            _say(f"{many} sockets: {times:.1f} times {peer.name}" + (f" (goal {OF_GRAPHQL_WS:.0f})" if peer.name == "graphql-ws" else ""))
            well = well and (peer.name != "graphql-ws" or times >= OF_GRAPHQL_WS)
    return well


async def hot(service: Candidate, ceiling: Candidate, seconds: float) -> bool:
    """Rooms of which several events go out in one write."""
    well = True
    for rate, goal in HOT_GOALS.items():
        ours, bare = await _told(service, HOT_SOCKETS, rate, seconds), await _told(ceiling, HOT_SOCKETS, rate, seconds)
        later = ours.received.p99 - bare.received.p99
        _say(
            f"hot room, {rate:.0f}/s: {ours.per_cpu_second / 1000:.0f} k (goal {goal / 1000:.0f} k), p99 {later * 1000:+.0f} ms (goal +60)"
        )
        well = well and ours.per_cpu_second >= goal and later <= HOT_DELAY and ours.is_whole
    return well


async def crowd(service: Candidate, seconds: float) -> bool:
    """Ten thousand in one room."""
    found = await _told(service, CROWD, CROWD_RATE, seconds)
    _say(f"{CROWD} subscribers: p99 {found.received.p99 * 1000:.0f} ms (goal {CROWD_P99 * 1000:.0f}), lost {found.received.lost}")
    return found.received.p99 <= CROWD_P99 and found.is_whole


async def idle(service: Candidate, calls: int) -> bool:
    """What listeners cost who hear nothing: beyond what the service costs alone, as a part of one core."""
    process = psutil.Process(service.pid)

    async def share() -> float:
        before = cpu_of(process)
        await asyncio.sleep(IDLE_SECONDS)
        return (cpu_of(process) - before) / IDLE_SECONDS

    quiet, held = await share(), process.memory_info().rss
    async with swarm(service, IDLE_SOCKETS):
        await asyncio.sleep(3)
        listening, held = await share(), process.memory_info().rss - held
    _say(
        f"{IDLE_SOCKETS} idle listeners on {calls} calls: {listening - quiet:.1%} of a core (goal {IDLE_GOAL:.0%}), the service alone "
        f"{quiet:.1%}; {held / IDLE_SOCKETS / 1024:.0f} KiB each (goal {IDLE_BYTES // 1024})"
    )
    return listening - quiet <= IDLE_GOAL and held / IDLE_SOCKETS <= IDLE_BYTES


async def steady(service: Candidate) -> bool:
    """Many events leave nothing behind, and who reads a hundredth of the time has all of them in the end."""
    process = psutil.Process(service.pid)
    async with swarm(service, STEADY_SOCKETS, slow=1) as subscribers:
        await settle(service, subscribers)
        await emit(service, 1000, STEADY_RATE)
        before = process.memory_info().rss
        await emit(service, STEADY_EVENTS, STEADY_RATE)
        grown = process.memory_info().rss - before
        found = await all_received(subscribers, STEADY_SOCKETS * (STEADY_EVENTS + 1000))
    _say(
        f"{STEADY_EVENTS} events: {grown / 2**20:+.1f} MiB (goal {STEADY_BYTES >> 20}); with one who reads 1 % of the time: "
        f"lost {found.lost}, doubled {found.doubled}"
    )
    return grown <= STEADY_BYTES and not (found.lost or found.doubled or found.closed)


async def _told(of: Candidate, many: int, rate: float, seconds: float) -> Measured:
    found = await measure(of, many, rate, seconds)
    received = found.received
    print(
        f"  {of.name:10} {many:5} sockets, {rate:5.1f}/s: {found.per_cpu_second / 1000:6.1f} k deliveries a CPU second, "
        f"p50 {received.p50 * 1000:5.1f} ms, p99 {received.p99 * 1000:5.1f} ms, lost {received.lost}, doubled {received.doubled}, "
        f"{found.bytes_each / 1024:.0f} KiB each",
        flush=True,
    )
    return found


def _say(words: str) -> None:
    print(f"{words}\n", flush=True)

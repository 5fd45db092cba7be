"""Time for Trio scenarios: Trio's own clock that jumps when every task waits."""

import random

import trio
import trio.testing

import scenario


def ticks(count):
    return float(count)


async def tick(count=1):
    await trio.sleep(ticks(count))


def run_scenario(function, seed=0):
    # Trio orders what is ready at the same time by chance; a scenario must not depend on it.
    trio._core._run._r = random.Random(seed)
    trio.run(function, clock=trio.testing.MockClock(autojump_threshold=0),
             strict_exception_groups=True)


def passed():
    """How many ticks have passed since the scenario began."""
    return scenario.Ticks(round(trio.current_time()))

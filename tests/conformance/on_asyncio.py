"""Time for asyncio scenarios: a loop whose clock jumps to the next timer when nothing is ready."""

import asyncio
import inspect
import selectors

import scenario


class JumpingSelector(selectors.DefaultSelector):
    """Never sleeps for a timer. Without one it waits for another thread, but not for ever."""

    def __init__(self):
        super().__init__()
        self.now = 0.0

    def select(self, timeout=None):
        events = super().select(0)
        if events or timeout == 0:
            return events
        if timeout is not None:
            self.now += timeout
            return []
        events = super().select(5)
        if not events:
            raise RuntimeError("deadlock: no timer, nothing ready")
        return events


class VirtualClockLoop(asyncio.SelectorEventLoop):
    def __init__(self):
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self):
        return self._jumping.now

    def advance(self, duration):
        """What a callback does that takes its time."""
        self._jumping.now += duration


class VirtualClockPolicy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self):
        return VirtualClockLoop()


def ticks(count):
    """So much time. Whole seconds: sums of them are exact, and virtual they cost nothing."""
    return float(count)


async def tick(count=1):
    await asyncio.sleep(ticks(count))


def run_scenario(function):
    asyncio.set_event_loop_policy(VirtualClockPolicy())
    if not inspect.iscoroutinefunction(function):
        return function()
    with asyncio.Runner() as runner:
        runner.run(function())


def passed():
    """How many ticks have passed since the scenario began."""
    return scenario.Ticks(round(asyncio.get_running_loop().time()))

#!/usr/bin/python3
"""Timers of uvloop: call_later and cancel. See plan.hpp."""

import asyncio
import pathlib
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "kit/python"))
import kit  # noqa: E402

ROUNDS = 3
fired = []


async def measured(program):
    loop = asyncio.get_running_loop()
    random.seed(7)
    delays = [random.uniform(3600, 7200) for _ in range(program.size)]
    handles = []
    for number in range(ROUNDS + 1):
        for what in ("arm", "arm_cancel", "cancel"):
            if what == "arm_cancel" and program.case != what:
                continue
            counts = number > 0 and program.case == what
            if counts:
                program.start()
            if what == "arm":
                handles = [loop.call_later(delay, fired.append, 1) for delay in delays]
            elif what == "cancel":
                for handle in handles:
                    handle.cancel()
            else:
                for delay in delays:
                    loop.call_later(delay, fired.append, 1).cancel()
            await asyncio.sleep(0)
            if counts:
                program.stop()


program = kit.Program("timers", 100_000, ("arm", "cancel", "arm_cancel"))
program.run(measured(program))
program.finish(program.size * ROUNDS, not fired)

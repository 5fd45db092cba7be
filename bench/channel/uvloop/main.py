#!/usr/bin/python3
"""A bounded asyncio.Queue between two tasks, on uvloop."""

import asyncio
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "kit/python"))
import kit  # noqa: E402


async def produce(queue, items):
    for i in range(items):
        await queue.put(i)


async def consume(queue, items):
    total = 0
    for _ in range(items):
        total += await queue.get()
    return total


async def exchange(places, items):
    queue = asyncio.Queue(places)
    consumer = asyncio.create_task(consume(queue, items))
    await asyncio.create_task(produce(queue, items))
    return await consumer


async def measured(program):
    places = int(program.case)
    await exchange(places, max(1, program.size // 10))
    program.start()
    total = await exchange(places, program.size)
    program.stop()
    return total


program = kit.Program("channel", 1_000_000, ("128", "1"))
result = program.run(measured(program))
program.finish(program.size, result == program.size * (program.size - 1) // 2)

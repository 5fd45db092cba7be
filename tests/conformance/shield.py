"""shield: the cancel of the one who waits does not reach what is shielded."""

import asyncio

from on_asyncio import tick, ticks
from scenario import log, on_any_loops, outcome


async def work(count=3):
    try:
        await tick(count)
    except asyncio.CancelledError:
        log("work was cancelled")
        raise
    log("work ends")
    return "result"


async def behind_shield(task):
    return await asyncio.shield(task)


@on_any_loops
async def a_shield_gives_the_result():
    log(await asyncio.shield(asyncio.create_task(work())))


@on_any_loops
async def a_shield_raises_the_exception():
    async def fail():
        await tick()
        raise ValueError("bad")

    log(await outcome(asyncio.shield(fail())))


@on_any_loops
async def a_cancelled_waiter_leaves_the_work_running():
    inner = asyncio.create_task(work())
    outer = asyncio.create_task(behind_shield(inner))
    await tick()
    outer.cancel("only me")
    log(await outcome(outer))
    log("inner done", inner.done())
    log(await outcome(inner))


@on_any_loops
async def a_coroutine_behind_a_shield_goes_on_by_itself():
    async def outer():
        await asyncio.shield(work())

    task = asyncio.create_task(outer())
    await tick()
    task.cancel()
    log(await outcome(task))
    await tick(4)


@on_any_loops
async def a_cancel_of_the_inner_reaches_the_waiter():
    inner = asyncio.create_task(tick(100))
    outer = asyncio.create_task(behind_shield(inner))
    await tick()
    inner.cancel()
    log(await outcome(outer))
    log("cancelling", outer.cancelling())


@on_any_loops
async def after_a_time_limit_the_work_goes_on():
    inner = asyncio.create_task(work())
    try:
        await asyncio.wait_for(asyncio.shield(inner), ticks(1))
    except asyncio.TimeoutError:
        log("time is up; inner done", inner.done())
    log(await inner)


@on_any_loops
async def a_cancelled_waiter_may_wait_again():
    inner = asyncio.create_task(work())

    async def stubborn():
        while True:
            try:
                return await asyncio.shield(inner)
            except asyncio.CancelledError:
                log("not now")

    outer = asyncio.create_task(stubborn())
    for _ in range(2):
        await tick(1)
        outer.cancel()
    log(await outcome(outer))


@on_any_loops
async def what_is_done_needs_no_shield():
    inner = asyncio.create_task(work(1))
    await inner
    log(await asyncio.shield(inner))


@on_any_loops
async def a_cancelled_gather_of_shields_leaves_the_work_running():
    first, second = asyncio.create_task(work(3)), asyncio.create_task(work(4))

    async def outer():
        await asyncio.gather(asyncio.shield(first), asyncio.shield(second))

    task = asyncio.create_task(outer())
    await tick()
    task.cancel()
    log(await outcome(task))
    log(await first, await second)


@on_any_loops
async def two_may_wait_behind_their_own_shields():
    inner = asyncio.create_task(work())
    one = asyncio.create_task(behind_shield(inner))
    two = asyncio.create_task(behind_shield(inner))
    await tick()
    one.cancel()
    log(await outcome(one))
    log(await outcome(two))

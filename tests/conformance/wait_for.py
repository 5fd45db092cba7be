"""wait_for: results in time, results in spite of the cancel, and cancels from outside."""

import asyncio

from on_asyncio import passed, tick, ticks
from scenario import kind, log, on_any_loops, outcome

SINCE_3_12 = {
    "since": (3, 12),
    "doc": "https://docs.python.org/3.14/library/asyncio-task.html#asyncio.wait_for",
}


async def give(value, count=1):
    await tick(count)
    return value


async def limited(awaitable, limit):
    return await asyncio.wait_for(awaitable, None if limit is None else ticks(limit))


@on_any_loops
async def a_result_in_time_is_given():
    log(await limited(give("in time", 1), 3))
    log("ticks passed", passed())


@on_any_loops
async def without_a_limit_it_waits():
    log(await limited(give("late", 50), None))


@on_any_loops
async def when_time_is_up_the_inner_is_cancelled():
    async def work():
        try:
            await tick(100)
        except asyncio.CancelledError:
            log("inner cancelled")
            raise

    log(await outcome(limited(work(), 2)))
    log("ticks passed", passed(), "cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def it_waits_until_the_cancelled_inner_has_ended():
    async def work():
        try:
            await tick(100)
        finally:
            await tick(3)
            log("inner cleaned up")

    log(await outcome(limited(work(), 1)))
    log("ticks passed", passed())


@on_any_loops
async def a_limit_of_zero_gives_what_is_done():
    future = asyncio.get_running_loop().create_future()
    future.set_result("done before")
    log(await limited(future, 0))
    log(await limited(future, -1))


@on_any_loops()
async def a_limit_of_zero_is_over_for_all_else():
    async def work():
        log("never")
        await tick(100)

    log(await outcome(limited(work(), 0)))
    task = asyncio.create_task(tick(100))
    await tick()
    log(await outcome(limited(task, -1)))
    log("task cancelled", task.cancelled())


@on_any_loops
async def an_exception_of_the_inner_is_raised():
    async def fail():
        await tick()
        raise ValueError("bad")

    log(await outcome(limited(fail(), 5)))


@on_any_loops
async def a_time_limit_error_of_the_inners_own_is_raised_too():
    async def fail():
        raise TimeoutError

    log(await outcome(limited(fail(), 5)))
    log("ticks passed", passed())


@on_any_loops
async def a_result_in_spite_of_the_cancel_is_given():
    async def stubborn():
        try:
            await tick(100)
        except asyncio.CancelledError:
            return "in spite"

    log(await outcome(limited(asyncio.create_task(stubborn()), 1)))
    await tick()
    log("nothing is left of it; cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def another_exception_in_answer_to_the_cancel_is_raised():
    async def breaks():
        try:
            await tick(100)
        except asyncio.CancelledError:
            raise ValueError("while cancelled") from None

    log(await outcome(limited(breaks(), 1)))


@on_any_loops(
    **SINCE_3_12,
    expected="""
        inner CancelledError: from outside
        raised CancelledError: from outside
        ticks passed t1
    """,
)
async def a_cancel_from_outside_reaches_the_inner():
    async def work():
        try:
            await tick(100)
        except asyncio.CancelledError as error:
            log("inner", error)
            raise

    task = asyncio.create_task(limited(work(), 50))
    await tick()
    task.cancel("from outside")
    log(await outcome(task))
    log("ticks passed", passed())


@on_any_loops
async def a_cancel_from_outside_is_not_taken_for_time_that_is_up():
    async def slow_to_go():
        try:
            await tick(100)
        finally:
            await tick(5)

    task = asyncio.create_task(limited(slow_to_go(), 3))
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops(
    **SINCE_3_12,
    expected="""
        gave in spite
        cancelled False cancelling 1
    """,
)
async def an_inner_that_swallows_a_cancel_from_outside_gives_its_result():
    async def stubborn():
        try:
            await tick(100)
        except asyncio.CancelledError:
            return "in spite"

    task = asyncio.create_task(limited(stubborn(), 50))
    await tick()
    task.cancel()
    log(await outcome(task))
    log("cancelled", task.cancelled(), "cancelling", task.cancelling())


@on_any_loops(
    **SINCE_3_12,
    expected="""
        same task True
    """,
)
async def a_coroutine_runs_in_the_task_that_waits():
    async def name():
        return asyncio.current_task().get_name()

    log("same task", await limited(name(), 5) == asyncio.current_task().get_name())


@on_any_loops
async def the_inner_limit_ends_first():
    async def middle():
        try:
            await limited(tick(100), 1)
        except asyncio.TimeoutError:
            log("inner limit at", passed())
        return "went on"

    log(await limited(middle(), 3))


@on_any_loops
async def the_outer_limit_ends_first():
    async def middle():
        try:
            await limited(tick(100), 10)
        except asyncio.CancelledError:
            log("cancelled at", passed())
            raise

    log(await outcome(limited(middle(), 3)))


@on_any_loops
async def a_future_is_cancelled_when_time_is_up():
    future = asyncio.get_running_loop().create_future()
    log(await outcome(limited(future, 1)))
    log("cancelled", future.cancelled())


@on_any_loops
async def a_task_may_be_waited_for_again_behind_a_shield():
    task = asyncio.create_task(give("result", 5))
    for attempt in range(3):
        try:
            log(await limited(asyncio.shield(task), 2))
        except asyncio.TimeoutError as error:
            log("attempt", attempt, kind(error))


@on_any_loops
async def no_result_is_lost_in_the_race_with_time():
    lost = 0
    for _ in range(20):
        task = asyncio.create_task(give("result", 1))
        try:
            await limited(task, 1)
        except asyncio.TimeoutError:
            lost += not task.cancelled()
    log("lost", lost, "cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def limits_in_a_row_leave_no_trace():
    for count in (1, 3, 1, 3):
        try:
            log(await limited(give("in time", count), 2))
        except asyncio.TimeoutError:
            log("time is up")
    await tick(3)
    log("cancelling", asyncio.current_task().cancelling())

"""timeout, timeout_at: what a deadline turns into TimeoutError, and what it leaves alone."""

import asyncio

from on_asyncio import passed, tick, ticks
from scenario import attempt, log, on_any_loops, outcome


def now():
    return asyncio.get_running_loop().time()


@on_any_loops
async def a_body_in_time_is_left_alone():
    async with asyncio.timeout(ticks(5)) as limit:
        await tick(1)
        log("expired", limit.expired())
    log("expired", limit.expired(), "cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def a_body_that_takes_too_long_is_cancelled():
    try:
        async with asyncio.timeout(ticks(2)) as limit:
            try:
                await tick(100)
            except asyncio.CancelledError:
                log("cancelled; expired", limit.expired())
                raise
    except TimeoutError as error:
        log(error, "at", passed())
    log("cancelling", asyncio.current_task().cancelling())
    await tick()
    log("goes on")


@on_any_loops
async def none_is_no_limit():
    async with asyncio.timeout(None) as limit:
        log("when", limit.when())
        await tick(10)
    log("over at", passed())


@on_any_loops
async def zero_lets_the_body_run_to_its_first_suspension():
    for delay in (0, -1):
        async def limited(delay=delay):
            async with asyncio.timeout(ticks(delay)):
                log("begins")
                await tick(100)
                log("never")

        log(await outcome(limited()))


@on_any_loops
async def a_body_that_never_suspends_is_not_cut_short():
    async with asyncio.timeout(0):
        log("body")
    await tick()
    log("goes on; cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def other_exceptions_of_the_body_pass():
    async def limited():
        async with asyncio.timeout(ticks(5)):
            await tick()
            raise ValueError("own")

    log(await outcome(limited()))


@on_any_loops
async def the_inner_of_two_expires_alone():
    async with asyncio.timeout(ticks(10)) as outer:
        try:
            async with asyncio.timeout(ticks(1)) as inner:
                await tick(100)
        except TimeoutError:
            log("inner", inner.expired(), "outer", outer.expired())
        await tick()
    log("over at", passed())


@on_any_loops
async def the_outer_of_two_expires_alone():
    try:
        async with asyncio.timeout(ticks(1)) as outer:
            try:
                async with asyncio.timeout(ticks(10)) as inner:
                    await tick(100)
            except asyncio.CancelledError:
                log("inner", inner.expired(), "outer", outer.expired())
                raise
            except TimeoutError:
                log("never")
    except TimeoutError:
        log("outer raised at", passed())


@on_any_loops
async def both_expire_while_the_body_cleans_up():
    async def body():
        try:
            await tick(100)
        except asyncio.CancelledError:
            log("cancelled")
            raise

    async def inner():
        async with asyncio.timeout(ticks(1)):
            await body()

    async def outer():
        async with asyncio.timeout(ticks(3)):
            try:
                await inner()
            except TimeoutError:
                log("inner raised")
            await tick(100)

    log(await outcome(outer()))
    log("over at", passed(), "cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def a_deadline_may_be_put_off():
    async with asyncio.timeout(ticks(2)) as limit:
        await tick()
        limit.reschedule(now() + ticks(5))
        await tick(3)
    log("over at", passed(), "expired", limit.expired())


@on_any_loops
async def a_deadline_may_be_brought_forward():
    async def limited():
        async with asyncio.timeout(ticks(50)) as limit:
            limit.reschedule(now() + ticks(1))
            await tick(100)

    log(await outcome(limited()))
    log("over at", passed())


@on_any_loops
async def a_deadline_may_be_given_up():
    async with asyncio.timeout(ticks(2)) as limit:
        limit.reschedule(None)
        await tick(5)
        log("when", limit.when())
    log("over at", passed())


@on_any_loops
async def a_deadline_in_the_past_is_over():
    async def rescheduled():
        async with asyncio.timeout(None) as limit:
            limit.reschedule(now() - ticks(1))
            await tick(100)

    async def at():
        async with asyncio.timeout_at(now() - ticks(1)):
            await tick(100)

    log(await outcome(rescheduled()))
    log(await outcome(at()))
    log("over at", passed())


@on_any_loops
async def timeout_at_names_a_point_in_time():
    when = now() + ticks(2)
    try:
        async with asyncio.timeout_at(when) as limit:
            log("when", limit.when() == when)
            await tick(100)
    except TimeoutError:
        log("raised at", passed())


@on_any_loops
async def an_expired_deadline_cannot_be_moved():
    try:
        async with asyncio.timeout(ticks(1)) as limit:
            try:
                await tick(100)
            except asyncio.CancelledError:
                log("reschedule:", attempt(limit.reschedule, None))
                raise
    except TimeoutError:
        log("raised")


@on_any_loops
async def a_cancel_from_outside_stays_a_cancel():
    async def limited():
        async with asyncio.timeout(ticks(50)):
            await tick(100)

    task = asyncio.create_task(limited())
    await tick()
    task.cancel("outside")
    log(await outcome(task))
    log("cancelling", task.cancelling())


@on_any_loops
async def a_cancel_from_outside_wins_over_a_deadline_that_comes_later():
    async def limited():
        async with asyncio.timeout(ticks(3)):
            try:
                await tick(100)
            finally:
                await asyncio.shield(tick(5))

    task = asyncio.create_task(limited())
    await tick()
    task.cancel()
    log(await outcome(task))
    log("cancelling", task.cancelling())


@on_any_loops
async def a_body_may_swallow_the_cancel_and_give_its_value():
    async def limited():
        async with asyncio.timeout(ticks(1)) as limit:
            try:
                await tick(100)
            except asyncio.CancelledError:
                log("swallowed; expired", limit.expired())
            return "value"

    log(await outcome(limited()))
    log("cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def a_body_may_answer_with_another_exception():
    async def limited():
        async with asyncio.timeout(ticks(1)):
            try:
                await tick(100)
            except asyncio.CancelledError:
                raise ValueError("instead") from None

    log(await outcome(limited()))
    log("cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def a_deadline_does_not_fire_after_the_end():
    async with asyncio.timeout(ticks(2)):
        await tick(1)
    await tick(5)
    log("over at", passed())


@on_any_loops
async def a_deadline_cancels_the_task_that_the_body_awaits():
    async def work():
        try:
            await tick(100)
        finally:
            log("work ends at", passed())

    task = asyncio.create_task(work())

    async def limited():
        async with asyncio.timeout(ticks(2)):
            await task

    log(await outcome(limited()))
    log("task cancelled", task.cancelled())


@on_any_loops
async def a_deadline_ends_a_group_and_its_tasks():
    async def work():
        try:
            await tick(100)
        finally:
            log("work ends at", passed())

    async def limited():
        async with asyncio.timeout(ticks(2)):
            async with asyncio.TaskGroup() as group:
                for _ in range(2):
                    group.create_task(work())

    log(await outcome(limited()))


@on_any_loops
async def limits_on_several_tasks_are_independent():
    async def limited(count):
        async with asyncio.timeout(ticks(count)):
            await tick(4)
        return count

    log(await asyncio.gather(*[limited(count) for count in (2, 6, 3, 5)], return_exceptions=True))

"""TaskGroup: waits for all, the first failure ends the others, a cancel from outside stays one."""

import asyncio

from on_asyncio import passed, tick, ticks
from scenario import kind, log, on_any_loops, on_one_loop, outcome


async def fail(text, count=1):
    await tick(count)
    raise ValueError(text)


async def wait_long(name):
    try:
        await tick(100)
    except asyncio.CancelledError:
        log(name, "cancelled at", passed())
        raise


@on_any_loops
async def the_block_ends_when_all_its_tasks_have():
    async def child(count):
        await tick(count)
        log("child", count)

    async with asyncio.TaskGroup() as group:
        group.create_task(child(2))
        group.create_task(child(1))
        log("body ends")
    log("group ends at", passed())


@on_any_loops
async def results_are_read_from_the_tasks():
    async def square(i):
        await tick()
        return i * i

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(square(i)) for i in range(4)]
    log([task.result() for task in tasks])


@on_any_loops
async def an_empty_group_ends_at_once():
    async with asyncio.TaskGroup():
        log("body")
    log("over at", passed())


@on_any_loops(
    since=(3, 13),
    doc="https://docs.python.org/3.14/whatsnew/3.13.html#asyncio",
    expected="""
        sibling cancelled at t1
        sibling cancelled at t1
        raised ExceptionGroup[ValueError: bad]
        cancelling 0
    """,
)
async def the_first_failure_cancels_the_siblings():
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_long("sibling"))
            group.create_task(wait_long("sibling"))
            group.create_task(fail("bad"))

    log(await outcome(run()))
    log("cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def the_first_failure_cancels_the_body():
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail("bad"))
            await wait_long("body")

    log(await outcome(run()))
    await tick()
    log("goes on; cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def a_failure_of_the_body_cancels_the_tasks():
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_long("child"))
            await fail("body")

    log(await outcome(run()))


@on_any_loops
async def failures_come_together_in_the_order_in_which_they_happened():
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(breaks_when_cancelled("second", 2))
            group.create_task(breaks_when_cancelled("first", 1))
            await fail("body")

    log(await outcome(run()))


async def breaks_when_cancelled(text, count):
    try:
        await tick(100)
    except asyncio.CancelledError:
        pass
    await tick(count)
    raise ValueError(text)


@on_any_loops
async def a_cancel_from_outside_is_no_failure():
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_long("child"))
            await wait_long("body")

    task = asyncio.create_task(run())
    await tick()
    task.cancel("outside")
    log(await outcome(task))
    log("cancelling", task.cancelling())


@on_any_loops
async def a_cancel_from_outside_reaches_a_group_that_waits_for_its_tasks():
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_long("child"))

    task = asyncio.create_task(run())
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def a_failure_during_a_cancel_from_outside_is_raised():
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(breaks_when_cancelled("clean-up", 1))
            await tick(100)

    task = asyncio.create_task(run())
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def a_task_cancelled_alone_does_not_fail_the_group():
    async def child():
        await tick(2)
        log("the other child ends")

    async with asyncio.TaskGroup() as group:
        cancelled = group.create_task(tick(100))
        group.create_task(child())
        await tick()
        cancelled.cancel()
    log("group ends at", passed(), "cancelled", cancelled.cancelled())


@on_any_loops(any_order=True)
async def a_task_may_make_more_tasks_in_the_group():
    async def grow(group, depth):
        if depth:
            group.create_task(grow(group, depth - 1))
        await tick()
        log("depth", depth)

    async with asyncio.TaskGroup() as group:
        group.create_task(grow(group, 2))
        await tick(3)
    log("end")


@on_any_loops
async def a_group_that_is_shutting_down_takes_no_task():
    async def late(group):
        try:
            await tick(100)
        except asyncio.CancelledError:
            made = tick()
            try:
                group.create_task(made)
            except RuntimeError as error:
                log(kind(error))
            made.close()
            raise

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(late(group))
            group.create_task(fail("bad"))

    log(await outcome(run()))


@on_any_loops
async def groups_nest_and_so_do_their_failures():
    async def inner():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail("inner"))
            group.create_task(wait_long("inner sibling"))

    async def outer():
        async with asyncio.TaskGroup() as group:
            group.create_task(inner())
            group.create_task(wait_long("outer sibling"))

    log(await outcome(outer()))


@on_any_loops
async def a_group_inside_a_group_of_the_same_task():
    async def run():
        async with asyncio.TaskGroup() as outer:
            outer.create_task(wait_long("outer child"))
            async with asyncio.TaskGroup() as inner:
                inner.create_task(fail("inner"))
            log("never")

    log(await outcome(run()))


@on_any_loops
async def a_failure_of_an_inner_group_can_be_caught():
    async with asyncio.TaskGroup() as outer:
        outer.create_task(tick(3))
        try:
            async with asyncio.TaskGroup() as inner:
                inner.create_task(fail("inner"))
        except* ValueError as caught:
            log(caught)
        await tick()
    log("outer ends at", passed())


@on_one_loop
async def tasks_of_a_body_that_fails_at_once_never_start():
    async def child():
        log("never")

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(child())
            raise ValueError("at once")

    log(await outcome(run()))


@on_any_loops
async def a_body_that_raises_cancelled_error_cancels_its_tasks():
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_long("child"))
            await tick()
            raise asyncio.CancelledError("by hand")

    log(await outcome(run()))
    log("cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def a_task_that_swallows_the_cancel_ends_in_its_own_time():
    async def stubborn():
        try:
            await tick(100)
        except asyncio.CancelledError:
            pass
        await tick(3)
        log("stubborn ends")

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(stubborn())
            group.create_task(fail("bad"))

    log(await outcome(run()))
    log("over at", passed())


@on_any_loops
async def two_who_fail_at_the_same_time_are_both_reported():
    async def run():
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(fails_at(future))
            await tick()
            future.set_result(None)
            await tick(100)

    async def fails_at(future):
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            pass
        raise ValueError("same")

    future = asyncio.get_running_loop().create_future()
    log(await outcome(run()))


@on_any_loops
async def a_group_can_be_used_in_a_task_that_was_uncancelled():
    async def run():
        try:
            await tick(100)
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()
        async with asyncio.TaskGroup() as group:
            group.create_task(tick())
        return "group worked"

    task = asyncio.create_task(run())
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def handlers_take_their_part_of_the_failures():
    async def fail_with(error, count):
        try:
            await tick(count)
        except asyncio.CancelledError:
            pass
        raise error

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail_with(ValueError("one"), 1))
            group.create_task(fail_with(LookupError("two"), 2))
            group.create_task(fail_with(ValueError("three"), 3))
            await tick(100)
    except* ValueError as caught:
        log("values", len(caught.exceptions))
    except* LookupError as caught:
        log("lookups", len(caught.exceptions))


@on_any_loops
async def the_deadline_of_a_task_in_a_group_is_its_own():
    async def limited():
        try:
            async with asyncio.timeout(ticks(1)):
                await tick(100)
        except TimeoutError:
            log("time is up at", passed())

    async def other():
        await tick(3)
        log("other ends at", passed())

    async with asyncio.TaskGroup() as group:
        group.create_task(limited())
        group.create_task(other())


@on_any_loops
async def a_body_cancelled_by_a_failure_may_clean_up():
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail("bad"))
            try:
                await tick(100)
            finally:
                await tick(2)
                log("body cleaned up at", passed())

    log(await outcome(run()))

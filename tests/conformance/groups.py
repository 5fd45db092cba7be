"""Task groups, time limits and combinators inside one another."""

import asyncio

from on_asyncio import passed, tick, ticks
from scenario import log, on_any_loops, on_one_loop, outcome

SINCE_3_13 = {
    "since": (3, 13),
    "doc": "https://docs.python.org/3.14/whatsnew/3.13.html#asyncio",
}


async def fail(text, count=1):
    await tick(count)
    raise ValueError(text)


async def give(value, count=1):
    await tick(count)
    return value


@on_any_loops
async def the_body_may_await_the_groups_tasks():
    async with asyncio.TaskGroup() as group:
        one = group.create_task(give("one", 2))
        two = group.create_task(give("two", 1))
        log(await two, await one, "at", passed())


@on_one_loop()
async def a_body_that_awaits_the_task_that_fails():
    async def run():
        async with asyncio.TaskGroup() as group:
            task = group.create_task(fail("once"))
            await task

    log(await outcome(run()))


@on_any_loops(
    departs="The wait was over before the failure cancelled the body: its result is delivered. In "
            "asyncio the body is cancelled there.",
    expected="""
        seen ValueError: bad
        raised ExceptionGroup[ValueError: bad]
    """,
)
async def a_body_that_handles_the_failure_of_its_task_does_not_save_the_group():
    async def run():
        async with asyncio.TaskGroup() as group:
            task = group.create_task(fail("bad"))
            await asyncio.wait([task])
            log("seen", task.exception())

    log(await outcome(run()))


@on_any_loops
async def gather_in_a_group():
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(give(i, 3 - i)) for i in range(3)]
        log(await asyncio.gather(*tasks))


@on_any_loops
async def a_group_in_a_gather():
    async def batch(base):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(give(base + i)) for i in range(2)]
        return [task.result() for task in tasks]

    log(await asyncio.gather(batch(0), batch(10)))


@on_any_loops
async def a_group_that_takes_too_long():
    async def work(name, count):
        try:
            await tick(count)
            log(name, "done")
        except asyncio.CancelledError:
            log(name, "cancelled")
            raise

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(work("quick", 1))
            group.create_task(work("slow", 100))

    log(await outcome(asyncio.wait_for(run(), ticks(3))), "at", passed())


@on_any_loops
async def a_failure_while_time_is_up_is_raised_instead():
    async def breaks():
        try:
            await tick(100)
        except asyncio.CancelledError:
            raise ValueError("while cancelled") from None

    async def run():
        async with asyncio.timeout(ticks(1)):
            async with asyncio.TaskGroup() as group:
                group.create_task(breaks())

    log(await outcome(run()))
    log("cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def a_limit_inside_the_body_of_a_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(tick(3))
        try:
            async with asyncio.timeout(ticks(1)):
                await tick(100)
        except TimeoutError:
            log("body's limit at", passed())
    log("group ends at", passed())


@on_any_loops
async def a_child_fails_inside_a_limit_of_the_body():
    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail("child"))
            async with asyncio.timeout(ticks(50)) as limit:
                try:
                    await tick(100)
                finally:
                    log("expired", limit.expired())

    log(await outcome(run()), "at", passed())


@on_one_loop
async def a_group_entered_with_a_cancel_on_its_way():
    async def run():
        asyncio.current_task().cancel("on its way")
        async with asyncio.TaskGroup() as group:
            group.create_task(tick(100))
        log("never")

    log(await outcome(asyncio.create_task(run())), "at", passed())


@on_any_loops(
    **SINCE_3_13,
    expected="""
        caught ExceptionGroup[ValueError: bad]
        cancelling 1
        raised CancelledError
    """,
)
async def a_group_that_fails_in_a_cancelled_task_cancels_it_anew():
    async def run():
        try:
            await tick(100)
        except asyncio.CancelledError:
            pass
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fail("bad"))
        except* ValueError as caught:
            log("caught", caught)
        log("cancelling", asyncio.current_task().cancelling())
        await tick()
        return "never"

    task = asyncio.create_task(run())
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def a_child_cancelled_by_hand_from_inside():
    async def cancels_itself():
        raise asyncio.CancelledError("own")

    async with asyncio.TaskGroup() as group:
        task = group.create_task(cancels_itself())
        other = group.create_task(give("other"))
    log("cancelled", task.cancelled(), other.result())


@on_any_loops
async def a_child_that_raises_cancelled_error_into_a_gather():
    async def cancels_itself():
        await tick()
        raise asyncio.CancelledError("own")

    log(await outcome(asyncio.gather(cancels_itself(), give("other", 2))))
    log("cancelling", asyncio.current_task().cancelling())
    await tick(2)


@on_any_loops
async def wait_for_an_inner_that_raises_cancelled_error():
    async def cancels_itself():
        await tick()
        raise asyncio.CancelledError("own")

    log(await outcome(asyncio.wait_for(cancels_itself(), ticks(5))))
    await tick()
    log("cancelling", asyncio.current_task().cancelling())


@on_any_loops
async def shield_in_a_group_that_fails():
    saved = []

    async def save():
        await tick(4)
        saved.append("saved")

    saving = asyncio.create_task(save())

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail("bad"))
            await asyncio.shield(saving)

    log(await outcome(run()), "at", passed())
    await saving
    log(saved, "at", passed())


@on_any_loops
async def a_tree_of_groups_ends_as_one():
    ended = []

    async def node(depth):
        try:
            if depth == 0:
                await tick(100)
            async with asyncio.TaskGroup() as group:
                group.create_task(node(depth - 1))
                group.create_task(node(depth - 1))
        finally:
            ended.append(depth)

    task = asyncio.create_task(node(4))
    await tick()
    task.cancel()
    log(await outcome(task))
    log([ended.count(depth) for depth in range(5)])


@on_any_loops
async def a_failure_deep_down_is_nested_in_groups():
    async def node(depth):
        async with asyncio.TaskGroup() as group:
            if depth == 0:
                group.create_task(fail("deep"))
            else:
                group.create_task(node(depth - 1))

    log(await outcome(node(3)))


@on_any_loops(
    **SINCE_3_13,
    expected="""
        handler; cancelling 1
        raised CancelledError
        cancelled True
    """,
)
async def a_failure_and_a_cancel_from_outside_are_both_heard_of():
    cancelled = asyncio.get_running_loop().create_future()

    async def fails_when_cancelled():
        try:
            await tick(100)
        except asyncio.CancelledError:
            raise ValueError("child") from None

    async def run():
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails_when_cancelled())
                await cancelled
        except* ValueError:
            log("handler; cancelling", asyncio.current_task().cancelling())
        await tick()
        log("never")

    task = asyncio.create_task(run())
    await tick()
    task.cancel("from outside")
    log(await outcome(task))
    log("cancelled", task.cancelled())

"""gather: results in argument order, the first exception at once, cancellation both ways."""

import asyncio

from on_asyncio import passed, tick
from scenario import log, on_any_loops, on_one_loop, outcome


async def give(value, count=1):
    await tick(count)
    return value


async def fail(text, count=1):
    await tick(count)
    raise ValueError(text)


@on_any_loops
async def results_come_in_the_order_of_the_arguments():
    log(await asyncio.gather(give("a", 3), give("b", 1), give("c", 2)))


@on_any_loops
async def what_is_gathered_runs_side_by_side():
    await asyncio.gather(tick(3), tick(2), tick(1))
    log("ticks passed", passed())


@on_any_loops
async def the_first_exception_is_raised_at_once_and_the_others_go_on():
    async def slow():
        await tick(4)
        log("slow ends")

    try:
        await asyncio.gather(slow(), fail("first", 1), fail("second", 2))
    except ValueError as error:
        log(error)
    log("gather is over")
    await tick(5)


@on_any_loops
async def the_first_exception_in_time_wins_not_in_the_order_of_arguments():
    log(await outcome(asyncio.gather(fail("late", 3), fail("early", 1))))
    await tick(4)


@on_any_loops
async def a_range_gives_a_list():
    log(await asyncio.gather(*[give(i * i, 3 - i) for i in range(3)]))
    log(await asyncio.gather(*[]))


@on_any_loops
async def exceptions_can_be_had_as_results():
    log(await asyncio.gather(give("ok", 2), fail("bad", 1), give("fine"), return_exceptions=True))


@on_any_loops
async def with_exceptions_as_results_it_waits_for_all():
    await asyncio.gather(fail("bad", 1), give("late", 4), return_exceptions=True)
    log("ticks passed", passed())


@on_any_loops
async def the_same_task_twice_runs_once():
    async def work():
        log("runs")
        await tick()
        return 1

    task = asyncio.create_task(work())
    log(await asyncio.gather(task, task))


@on_any_loops(any_order=True)
async def cancelling_the_waiting_task_cancels_all():
    async def child(name):
        try:
            await tick(100)
        finally:
            log(name)

    async def parent():
        await asyncio.gather(child("child"), child("child"), child("child"))

    task = asyncio.create_task(parent())
    await tick()
    task.cancel()
    log(await outcome(task))
    await tick()
    log("left", len(asyncio.all_tasks()))


@on_any_loops
async def a_cancelled_child_counts_as_failed_and_the_others_go_on():
    async def other():
        await tick(3)
        log("other ends")

    child = asyncio.create_task(tick(100))
    whole = asyncio.create_task(together(child, other()))
    await tick()
    child.cancel()
    log(await outcome(whole))
    await tick(4)


async def together(one, two):
    await asyncio.gather(one, two)


@on_any_loops
async def a_cancelled_child_can_be_had_as_a_result():
    child = asyncio.create_task(tick(100))
    asyncio.get_running_loop().call_later(1, child.cancel)
    log(await asyncio.gather(child, give("other", 2), return_exceptions=True))


@on_any_loops
async def a_cancel_is_raised_though_exceptions_are_results():
    async def parent():
        log(await asyncio.gather(give(1, 100), give(2, 100), return_exceptions=True))

    task = asyncio.create_task(parent())
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def a_cancel_is_raised_though_the_children_swallow_it():
    async def stubborn():
        try:
            await tick(100)
        except asyncio.CancelledError:
            log("swallowed")
        return 1

    async def parent():
        log(await asyncio.gather(stubborn(), stubborn()))

    task = asyncio.create_task(parent())
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def a_cancelled_gather_ends_with_the_first_child_that_does():
    async def child(name, count):
        try:
            await tick(100)
        finally:
            await tick(count)
            log(name, "cleaned up")

    async def parent():
        try:
            await asyncio.gather(child("slow", 3), child("quick", 1))
        finally:
            log("gather is over")

    task = asyncio.create_task(parent())
    await tick()
    task.cancel()
    await outcome(task)
    await tick(4)


@on_any_loops
async def children_start_though_nobody_awaits_yet():
    async def child():
        log("child runs")

    gathered = asyncio.gather(child())
    await tick()
    log("awaiting")
    await gathered


@on_one_loop
async def children_start_in_the_order_of_the_arguments():
    async def child(name):
        log(name)

    await asyncio.gather(child("a"), child("b"), child("c"))


@on_any_loops
async def gathers_nest():
    inner = [asyncio.gather(give(i), give(i + 1)) for i in (1, 3)]
    log([await one for one in inner])


@on_any_loops
async def futures_coroutines_and_tasks_may_be_mixed():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(2, future.set_result, "future")
    task = asyncio.create_task(give("task", 1))
    log(tuple(await asyncio.gather(future, give("coroutine"), task)))


@on_any_loops
async def what_was_done_before_counts():
    future = asyncio.get_running_loop().create_future()
    future.set_result("done")
    log(await asyncio.gather(future, future))
    failed = asyncio.get_running_loop().create_future()
    failed.set_exception(ValueError("failed before"))
    log(await outcome(asyncio.gather(future, failed)))


@on_any_loops
async def a_thousand_at_once():
    async def square(i):
        await tick(1)
        return i * i

    log("sum", sum(await asyncio.gather(*[square(i) for i in range(1000)])))


@on_any_loops
async def gathered_children_do_not_share_the_parents_fate_after_a_failure():
    async def other():
        try:
            await tick(3)
            log("other was not cancelled")
        except asyncio.CancelledError:
            log("never")
            raise

    task = asyncio.create_task(other())
    log(await outcome(asyncio.gather(task, fail("bad"))))
    log(await outcome(task))

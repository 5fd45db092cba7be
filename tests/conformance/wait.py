"""wait in its three modes, and as_completed."""

import asyncio

from on_asyncio import passed, tick, ticks
from scenario import kind, log, on_any_loops, outcome

SINCE_3_13 = {
    "since": (3, 13),
    "doc": "https://docs.python.org/3.14/library/asyncio-task.html#asyncio.as_completed",
}


async def give(value, count):
    await tick(count)
    return value


async def fail(count):
    await tick(count)
    raise ValueError("bad")


def tasks_of(*coroutines):
    return [asyncio.create_task(coroutine) for coroutine in coroutines]


def where(tasks, group):
    """The positions of those that are in the group."""
    return [i for i, task in enumerate(tasks) if task in group]


@on_any_loops
async def all_completed_waits_for_all():
    tasks = tasks_of(give("a", 3), give("b", 1))
    done, pending = await asyncio.wait(tasks)
    log("done", where(tasks, done), "pending", where(tasks, pending), "at", passed())


@on_any_loops
async def first_completed_ends_with_the_first():
    tasks = tasks_of(give("a", 3), give("b", 1), give("c", 2))
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    log("done", where(tasks, done), "pending", where(tasks, pending), "at", passed())
    await asyncio.wait(tasks)
    log("the others went on to", passed())


@on_any_loops
async def first_exception_ends_with_the_first_that_fails():
    tasks = tasks_of(give("a", 1), fail(2), give("c", 5))
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    log("done", where(tasks, done), "pending", where(tasks, pending), "at", passed())
    log(tasks[1].exception())
    await tasks[2]


@on_any_loops
async def first_exception_without_one_waits_for_all():
    tasks = tasks_of(give("a", 1), give("b", 3))
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    log("done", where(tasks, done), "at", passed())


@on_any_loops
async def a_cancelled_task_is_no_first_exception():
    tasks = tasks_of(tick(100), give("b", 3))
    asyncio.get_running_loop().call_later(ticks(1), tasks[0].cancel)
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    log("done", where(tasks, done), "at", passed())


@on_any_loops
async def when_time_is_up_nothing_is_cancelled():
    tasks = tasks_of(give("a", 1), give("b", 5))
    done, pending = await asyncio.wait(tasks, timeout=ticks(3))
    log("done", where(tasks, done), "pending", where(tasks, pending), "at", passed())
    log(await tasks[1], "at", passed())


@on_any_loops
async def a_limit_of_zero_looks_once():
    tasks = tasks_of(give("a", 5), give("b", 1))
    await tick(2)
    done, pending = await asyncio.wait(tasks, timeout=0)
    log("done", where(tasks, done), "pending", where(tasks, pending))
    await tasks[0]


@on_any_loops
async def wait_does_not_raise_for_the_tasks():
    tasks = tasks_of(fail(1), give("b", 2))
    done, _ = await asyncio.wait(tasks)
    log("done", where(tasks, done))
    for task in tasks:
        log(await outcome(task))


@on_any_loops
async def cancelling_a_wait_leaves_the_tasks_alone():
    tasks = tasks_of(give("a", 3), give("b", 4))

    async def waits():
        await asyncio.wait(tasks)

    waiter = asyncio.create_task(waits())
    await tick()
    waiter.cancel()
    log(await outcome(waiter))
    log(await tasks[0], await tasks[1])


@on_any_loops
async def nothing_to_wait_for_is_an_error():
    try:
        await asyncio.wait([])
    except ValueError as error:
        log(kind(error))


@on_any_loops
async def what_is_done_already_counts():
    tasks = tasks_of(give("a", 1), give("b", 50))
    await tick(2)
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    log("done", where(tasks, done), "pending", where(tasks, pending), "at", passed())
    tasks[1].cancel()


@on_any_loops
async def the_same_task_twice_is_waited_for_once():
    task = asyncio.create_task(give("a", 1))
    done, pending = await asyncio.wait([task, task])
    log("done", len(done), "pending", len(pending))


@on_any_loops
async def the_first_wins_and_the_rest_is_cancelled():
    tasks = tasks_of(give("slow", 50), give("quick", 1), give("slower", 90))
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.wait(pending)
    log("winner", [task.result() for task in done], "cancelled",
        [task.cancelled() for task in tasks], "at", passed())


@on_any_loops
async def futures_can_be_waited_for_too():
    futures = [asyncio.get_running_loop().create_future() for _ in range(2)]
    asyncio.get_running_loop().call_later(ticks(1), futures[1].set_result, None)
    done, pending = await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)
    log("done", where(futures, done), "pending", where(futures, pending))


@on_any_loops
async def as_completed_gives_them_as_they_end():
    order = []
    for next_one in asyncio.as_completed([give("a", 3), give("b", 1), give("c", 2)]):
        order.append(await next_one)
        log(order[-1], "at", passed())
    log(order)


@on_any_loops
async def as_completed_raises_where_the_result_is_read():
    for next_one in asyncio.as_completed([give("a", 1), fail(2), give("c", 3)]):
        try:
            log(await next_one)
        except ValueError as error:
            log(error)


@on_any_loops
async def as_completed_with_a_limit():
    tasks = tasks_of(give("a", 1), give("b", 50))
    try:
        for next_one in asyncio.as_completed(tasks, timeout=ticks(3)):
            log(await next_one)
    except asyncio.TimeoutError:
        log("time is up at", passed())
    log("cancelled", tasks[1].cancelled(), "done", tasks[1].done())
    tasks[1].cancel()


@on_any_loops(
    **SINCE_3_13,
    expected="""
        True b
        True c
        True a
    """,
)
async def as_completed_gives_the_tasks_themselves():
    tasks = tasks_of(give("a", 3), give("b", 1), give("c", 2))
    async for task in asyncio.as_completed(tasks):
        log(task in tasks, task.result())


@on_any_loops
async def as_completed_of_nothing_ends_at_once():
    for _ in asyncio.as_completed([]):
        log("never")
    log("end")


@on_any_loops
async def as_completed_gives_what_was_done_before():
    tasks = tasks_of(give("a", 2), give("b", 1))
    await tick(3)
    log(sorted([await each for each in asyncio.as_completed(tasks)]), "at", passed())


@on_any_loops
async def cancelling_who_waits_for_the_next_one_leaves_the_tasks_alone():
    tasks = tasks_of(give("a", 3), give("b", 4))

    async def consume():
        for next_one in asyncio.as_completed(tasks):
            await next_one

    task = asyncio.create_task(consume())
    await tick()
    task.cancel()
    log(await outcome(task))
    log(await tasks[0], await tasks[1])

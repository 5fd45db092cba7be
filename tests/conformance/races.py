"""A cancel that meets what it would cancel: the same turn of one loop brings both."""

import asyncio

from on_asyncio import passed, tick, ticks
from scenario import attempt, log, on_any_loops, on_one_loop, outcome

LATE = ("What was handed over before the cancel is kept, and the next suspension is cancelled; "
        "asyncio raises CancelledError at once, and hands it on.")


@on_one_loop
async def a_lock_released_and_its_next_owner_cancelled_goes_on_to_the_next():
    lock = asyncio.Lock()

    async def worker(name):
        async with lock:
            await tick()
            log(name, "worked")

    await lock.acquire()
    first, second = asyncio.create_task(worker("first")), asyncio.create_task(worker("second"))
    await tick()
    lock.release()
    first.cancel()
    log(await outcome(first))
    await second
    log("locked", lock.locked())


@on_one_loop
async def a_permit_released_and_its_next_owner_cancelled_goes_on_to_the_next():
    semaphore = asyncio.Semaphore(0)

    async def worker(name):
        async with semaphore:
            await tick()
            log(name, "worked")

    first, second = asyncio.create_task(worker("first")), asyncio.create_task(worker("second"))
    await tick()
    semaphore.release()
    first.cancel()
    log(await outcome(first))
    await second
    log("locked", semaphore.locked())


@on_one_loop
async def a_cancelled_waiter_before_the_release_takes_nothing():
    lock = asyncio.Lock()

    async def worker(name):
        async with lock:
            log(name, "has it")

    await lock.acquire()
    first, second = asyncio.create_task(worker("first")), asyncio.create_task(worker("second"))
    await tick()
    first.cancel()
    lock.release()
    log(await outcome(first))
    await second


@on_one_loop(
    departs=LATE,
    expected="""
        first got item
        raised CancelledError
        second gets raised TimeoutError
    """,
)
async def an_item_handed_over_before_the_cancel_is_taken():
    queue = asyncio.Queue()

    async def getter():
        log("first got", await queue.get())
        await tick()

    first = asyncio.create_task(getter())
    await tick()
    queue.put_nowait("item")
    first.cancel()
    log(await outcome(first))
    log("second gets", await outcome(asyncio.wait_for(queue.get(), ticks(1))))


@on_one_loop
async def an_item_put_after_the_cancel_is_for_the_next():
    queue = asyncio.Queue()

    async def getter(name):
        log(name, "got", await queue.get())

    first, second = asyncio.create_task(getter("first")), asyncio.create_task(getter("second"))
    await tick()
    first.cancel()
    queue.put_nowait("item")
    log(await outcome(first))
    await second


@on_one_loop(
    departs=LATE,
    expected="""
        first woken
        raised CancelledError
        second gave woken
    """,
)
async def an_event_set_before_the_cancel_wakes():
    event = asyncio.Event()

    async def waiter():
        await event.wait()
        return "woken"

    async def first_waiter():
        log("first", await waiter())
        await tick()

    first, second = asyncio.create_task(first_waiter()), asyncio.create_task(waiter())
    await tick()
    event.set()
    first.cancel()
    log(await outcome(first))
    log("second", await outcome(second))


@on_one_loop
async def a_notification_to_one_who_is_cancelled_goes_to_the_next():
    condition = asyncio.Condition()

    async def waiter(name):
        async with condition:
            await condition.wait()
            log(name, "notified")

    first, second = asyncio.create_task(waiter("first")), asyncio.create_task(waiter("second"))
    await tick()
    async with condition:
        first.cancel()
        condition.notify()
    log(await outcome(first))
    log(await outcome(asyncio.wait_for(second, ticks(2))))


@on_one_loop
async def a_waiter_cancelled_while_it_takes_the_lock_back_has_it_when_it_unwinds():
    condition = asyncio.Condition()

    async def waiter():
        async with condition:
            try:
                await condition.wait()
            finally:
                log("locked", condition.locked(), "at", passed())

    task = asyncio.create_task(waiter())
    await tick()
    async with condition:
        condition.notify()
        await tick()
        task.cancel()
        await tick(2)
    log(await outcome(task))
    log("locked", condition.locked())


@on_one_loop
async def a_cancel_taken_back_before_it_is_delivered_is_not():
    async def work():
        try:
            await tick()
        except asyncio.CancelledError:
            log("cancelled")
        return "worked"

    task = asyncio.create_task(work())
    await tick(0.5)
    log(task.cancel(), task.uncancel())
    log(await outcome(task))


@on_any_loops(
    since=(3, 13),
    doc="https://docs.python.org/3.14/library/asyncio-task.html#asyncio.Task.uncancel",
    expected="""
        True 0
        gave not cancelled
    """,
)
async def a_task_may_take_its_own_cancel_back():
    async def work():
        task = asyncio.current_task()
        log(task.cancel(), task.uncancel())
        await asyncio.sleep(0)
        return "not cancelled"

    log(await outcome(asyncio.create_task(work())))


@on_one_loop(
    departs="The future was done before the task was cancelled, so its outcome is delivered first, "
            "and the task's cancel at the next suspension; asyncio makes one of both.",
    expected="""
        raised CancelledError raised 1
    """,
)
async def a_future_and_the_task_that_awaits_it_are_both_cancelled():
    future = asyncio.get_running_loop().create_future()
    raised = []

    async def work():
        try:
            await future
        except asyncio.CancelledError:
            raised.append(1)
        await tick()
        return "went on"

    task = asyncio.create_task(work())
    await tick()
    future.cancel()
    task.cancel()
    log(await outcome(task), "raised", len(raised))


@on_any_loops(threads=True)
async def two_limits_that_pass_while_the_loop_is_busy():
    async def both():
        async with asyncio.timeout(ticks(3)):
            try:
                async with asyncio.timeout(ticks(1)):
                    busy(5)
                    await tick(100)
            except TimeoutError:
                log("inner")
            await tick(100)
            log("never")

    log(await outcome(both()))
    log("cancelling", asyncio.current_task().cancelling())


def busy(count):
    """Holds the loop up for so many ticks."""
    asyncio.get_running_loop().advance(ticks(count))


@on_any_loops(threads=True)
async def a_body_that_ends_late_but_without_a_suspension_is_in_time():
    async with asyncio.timeout(ticks(1)) as limit:
        busy(3)
    log("expired", limit.expired())
    await asyncio.sleep(0)
    log("goes on")


@on_any_loops
async def a_limit_around_a_cancelled_task_stays_a_cancel():
    async def inner():
        raise asyncio.CancelledError("own")

    async def run():
        async with asyncio.timeout(ticks(5)):
            await inner()

    log(await outcome(run()))


@on_any_loops(
    since=(3, 12),
    doc="https://docs.python.org/3.14/library/asyncio-task.html#asyncio.timeout",
    expected="""
        clean-up took too long, at t3
        raised CancelledError cancelling 1
    """,
)
async def a_limit_set_in_a_clean_up_after_a_cancel_works():
    async def work():
        try:
            await tick(100)
        finally:
            try:
                async with asyncio.timeout(ticks(2)):
                    await tick(100)
            except TimeoutError:
                log("clean-up took too long, at", passed())

    task = asyncio.create_task(work())
    await tick()
    task.cancel()
    log(await outcome(task), "cancelling", task.cancelling())


@on_any_loops
async def uncancel_inside_a_limit_does_not_confuse_it():
    async def work():
        try:
            async with asyncio.timeout(ticks(2)):
                try:
                    await tick(100)
                except asyncio.CancelledError:
                    log("cancelling", asyncio.current_task().cancelling())
                    asyncio.current_task().uncancel()
                    raise
        except TimeoutError:
            log("TimeoutError")
        except asyncio.CancelledError:
            log("CancelledError")

    await asyncio.create_task(work())


@on_any_loops
async def a_task_cancelled_in_a_group_whose_sibling_fails_as_well():
    async def victim():
        await tick(100)

    async def fail():
        raise ValueError("sibling")

    async def run():
        async with asyncio.TaskGroup() as group:
            task = group.create_task(victim())
            await tick()
            task.cancel()
            group.create_task(fail())

    log(await outcome(run()))


@on_any_loops
async def a_group_cancelled_from_outside_while_a_child_fails():
    async def fail():
        await tick(2)
        raise ValueError("child")

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            try:
                await tick(100)
            finally:
                await asyncio.shield(tick(4))

    task = asyncio.create_task(run())
    await tick()
    task.cancel()
    log(await outcome(task))


@on_one_loop(
    since=(3, 13),
    doc="https://docs.python.org/3.14/whatsnew/3.13.html#asyncio",
    expected="""
        raised ExceptionGroup[ValueError: same, ExceptionGroup[ValueError: same]]
        cancelling 0
    """,
)
async def both_groups_of_a_task_fail_at_the_same_time():
    async def fail(text):
        await tick()
        raise ValueError(text)

    async def run():
        async with asyncio.TaskGroup() as outer:
            outer.create_task(fail("same"))
            async with asyncio.TaskGroup() as inner:
                inner.create_task(fail("same"))

    log(await outcome(run()))
    log("cancelling", asyncio.current_task().cancelling())


@on_one_loop
async def gather_of_a_task_that_was_cancelled_before():
    task = asyncio.create_task(tick(100))
    await tick()
    task.cancel()
    await outcome(task)
    log(await outcome(asyncio.gather(task, tick(1))))
    log(attempt(task.result))

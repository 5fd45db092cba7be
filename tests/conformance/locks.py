"""Lock, Event, Condition: fairness, cancelled waiters, misuse."""

import asyncio

from on_asyncio import passed, tick, ticks
from scenario import attempt, log, on_any_loops, on_one_loop, outcome


@on_one_loop
async def a_lock_goes_to_who_came_first():
    lock = asyncio.Lock()

    async def worker(name):
        async with lock:
            log(name, "holds it at", passed())
            await tick()

    await asyncio.gather(*[worker(name) for name in ("a", "b", "c")])
    log("locked", lock.locked())


@on_any_loops
async def a_lock_is_held_by_one_at_a_time():
    lock, inside, most = asyncio.Lock(), 0, 0

    async def worker():
        nonlocal inside, most
        for _ in range(5):
            async with lock:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

    await asyncio.gather(*[worker() for _ in range(20)])
    log("most", most, "inside", inside, "locked", lock.locked())


@on_any_loops
async def a_lock_is_released_when_its_block_raises():
    lock = asyncio.Lock()

    async def fails():
        async with lock:
            log("locked", lock.locked())
            raise ValueError("inside")

    log(await outcome(fails()))
    log("locked", lock.locked())


@on_any_loops
async def releasing_what_is_not_held_is_an_error():
    lock = asyncio.Lock()
    log(attempt(lock.release))
    await lock.acquire()
    log(attempt(lock.release))
    log(attempt(lock.release))


@on_any_loops
async def a_cancelled_waiter_leaves_the_line():
    lock = asyncio.Lock()
    order = []

    async def worker(name):
        async with lock:
            order.append(name)

    await lock.acquire()
    tasks = []
    for name in ("a", "b", "c"):
        tasks.append(asyncio.create_task(worker(name)))
        await tick()
    tasks[1].cancel()
    log("b:", await outcome(tasks[1]))
    lock.release()
    await asyncio.gather(tasks[0], tasks[2])
    log(order, "locked", lock.locked())


@on_any_loops
async def a_lock_whose_every_waiter_was_cancelled_is_free():
    lock = asyncio.Lock()

    async def worker():
        async with lock:
            log("never")

    await lock.acquire()
    tasks = [asyncio.create_task(worker()) for _ in range(3)]
    await tick()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    lock.release()
    log("locked", lock.locked())
    log(await outcome(asyncio.wait_for(lock.acquire(), ticks(1))) != "raised TimeoutError")


@on_one_loop
async def a_released_lock_does_not_go_past_who_waits():
    lock = asyncio.Lock()

    async def waiter():
        async with lock:
            log("waiter has it")

    await lock.acquire()
    task = asyncio.create_task(waiter())
    await tick()
    lock.release()
    async with lock:
        log("newcomer has it")
    await task


@on_any_loops
async def waiting_for_a_lock_may_have_a_limit():
    lock = asyncio.Lock()
    await lock.acquire()
    try:
        await asyncio.wait_for(lock.acquire(), ticks(1))
    except asyncio.TimeoutError:
        log("no lock at", passed())
    lock.release()
    await asyncio.wait_for(lock.acquire(), ticks(1))
    log("locked", lock.locked())


@on_one_loop
async def an_event_wakes_all_in_the_order_of_their_coming():
    event = asyncio.Event()

    async def waiter(name):
        await event.wait()
        log(name, "at", passed())

    tasks = [asyncio.create_task(waiter(name)) for name in ("a", "b", "c")]
    await tick(2)
    event.set()
    log("set")
    await asyncio.gather(*tasks)


@on_any_loops
async def a_set_event_lets_everybody_through():
    event = asyncio.Event()
    log("set", event.is_set())
    event.set()
    event.set()
    await event.wait()
    await event.wait()
    log("set", event.is_set(), "at", passed())
    event.clear()
    log("set", event.is_set())
    log(await outcome(asyncio.wait_for(event.wait(), ticks(1))))


@on_any_loops
async def who_was_woken_stays_woken_though_the_event_is_cleared():
    event = asyncio.Event()

    async def waiter():
        await event.wait()
        log("woken; set", event.is_set())

    task = asyncio.create_task(waiter())
    await tick()
    event.set()
    event.clear()
    await task


@on_any_loops
async def a_cancelled_waiter_of_an_event_disturbs_nobody():
    event = asyncio.Event()

    async def waiter():
        await event.wait()
        return "woken"

    cancelled, other = asyncio.create_task(waiter()), asyncio.create_task(waiter())
    await tick()
    cancelled.cancel()
    log(await outcome(cancelled))
    event.set()
    log(await outcome(other))


@on_one_loop
async def notify_wakes_as_many_as_it_says_first_come_first():
    condition = asyncio.Condition()

    async def waiter(name):
        async with condition:
            await condition.wait()
            log(name)

    tasks = [asyncio.create_task(waiter(name)) for name in ("a", "b", "c", "d")]
    await tick()
    for count in (1, 2):
        async with condition:
            condition.notify(count)
            log("notified", count)
        await tick()
    async with condition:
        condition.notify_all()
    await asyncio.gather(*tasks)


@on_any_loops
async def who_is_notified_holds_the_lock_again():
    condition = asyncio.Condition()

    async def waiter():
        async with condition:
            await condition.wait()
            log("locked", condition.locked())

    task = asyncio.create_task(waiter())
    await tick()
    async with condition:
        condition.notify()
        await tick(2)
        log("notifier still holds it at", passed())
    await task
    log("locked", condition.locked())


@on_any_loops
async def wait_for_looks_again_after_each_notification():
    condition, value = asyncio.Condition(), 0

    async def waiter():
        async with condition:
            await condition.wait_for(lambda: value == 3)
            log("value", value, "at", passed())

    task = asyncio.create_task(waiter())
    for _ in range(3):
        await tick()
        async with condition:
            value += 1
            condition.notify_all()
    await task


@on_any_loops
async def wait_for_of_what_is_true_does_not_wait():
    condition = asyncio.Condition()
    async with condition:
        log(await condition.wait_for(lambda: True), "at", passed())


@on_any_loops
async def a_condition_without_its_lock_is_an_error():
    condition = asyncio.Condition()
    log("notify:", attempt(condition.notify))
    try:
        await condition.wait()
    except RuntimeError:
        log("wait: RuntimeError")


@on_any_loops
async def a_cancelled_waiter_of_a_condition_holds_the_lock_while_it_unwinds():
    condition = asyncio.Condition()

    async def waiter():
        async with condition:
            try:
                await condition.wait()
            finally:
                log("locked", condition.locked())

    task = asyncio.create_task(waiter())
    await tick()
    task.cancel()
    log(await outcome(task))
    log("locked", condition.locked())


@on_any_loops
async def a_notification_is_not_lost_with_a_cancelled_waiter():
    condition = asyncio.Condition()
    woken = []

    async def waiter(name):
        async with condition:
            await condition.wait()
            woken.append(name)

    first = asyncio.create_task(waiter("first"))
    await tick()
    second = asyncio.create_task(waiter("second"))
    await tick()
    first.cancel()
    await outcome(first)
    async with condition:
        condition.notify()
    await second
    log(woken)


@on_any_loops
async def conditions_may_share_a_lock():
    lock = asyncio.Lock()
    filled, emptied = asyncio.Condition(lock), asyncio.Condition(lock)
    box = []

    async def producer():
        for i in range(3):
            async with emptied:
                await emptied.wait_for(lambda: not box)
                box.append(i)
                filled.notify()

    async def consumer():
        for _ in range(3):
            async with filled:
                await filled.wait_for(lambda: box)
                log("took", box.pop())
                emptied.notify()

    await asyncio.gather(producer(), consumer())


@on_any_loops
async def waiting_for_a_notification_may_have_a_limit():
    condition = asyncio.Condition()
    async with condition:
        try:
            await asyncio.wait_for(condition.wait(), ticks(2))
        except asyncio.TimeoutError:
            log("none at", passed(), "locked", condition.locked())
    log("locked", condition.locked())


@on_any_loops(any_order=True)
async def a_lock_can_be_held_over_a_shield():
    lock = asyncio.Lock()

    async def work():
        async with lock:
            await tick(3)
        log("released at", passed())

    inner = asyncio.create_task(work())

    async def outer():
        await asyncio.shield(inner)

    task = asyncio.create_task(outer())
    await tick()
    task.cancel()
    await outcome(task)
    log("locked", lock.locked())
    async with lock:
        log("got it")
    await inner

"""Queue, PriorityQueue, LifoQueue: order, limits, join, cancelled waiters, shutdown."""

import asyncio

from on_asyncio import passed, tick, ticks
from scenario import attempt, log, on_any_loops, on_one_loop, outcome

SHUTDOWN = {
    "since": (3, 13),
    "doc": "https://docs.python.org/3.14/library/asyncio-queue.html#asyncio.Queue.shutdown",
}


@on_any_loops
async def items_come_out_in_the_order_in_which_they_went_in():
    queue = asyncio.Queue()
    for i in range(3):
        await queue.put(i)
    log("size", queue.qsize(), "empty", queue.empty(), "full", queue.full())
    log([await queue.get() for _ in range(3)])
    log("size", queue.qsize(), "empty", queue.empty())


@on_any_loops
async def a_priority_queue_gives_the_smallest_first():
    queue = asyncio.PriorityQueue()
    for i in (3, 1, 2):
        queue.put_nowait(i)
    log([await queue.get() for _ in range(3)])


@on_any_loops
async def a_lifo_queue_gives_the_newest_first():
    queue = asyncio.LifoQueue()
    for i in (1, 2, 3):
        queue.put_nowait(i)
    log([await queue.get() for _ in range(3)])


@on_any_loops
async def get_waits_for_an_item():
    queue = asyncio.Queue()

    async def getter():
        log("got", await queue.get(), "at", passed())

    task = asyncio.create_task(getter())
    await tick(2)
    await queue.put("it")
    await task


@on_any_loops(any_order=True)
async def put_waits_for_a_place():
    queue = asyncio.Queue(1)

    async def putter():
        for i in range(2):
            await queue.put(i)
        log("both are in at", passed())

    task = asyncio.create_task(putter())
    await tick(2)
    log("full", queue.full(), "maxsize", queue.maxsize)
    log("got", await queue.get())
    await task
    log("got", await queue.get())


@on_any_loops
async def nowait_says_so_when_it_would_have_to_wait():
    queue = asyncio.Queue(1)
    log("get:", attempt(queue.get_nowait))
    log("put:", attempt(queue.put_nowait, 1))
    log("put:", attempt(queue.put_nowait, 2))
    log("get:", attempt(queue.get_nowait))


@on_one_loop
async def those_who_wait_get_items_in_the_order_of_their_coming():
    queue = asyncio.Queue()

    async def getter(name):
        log(name, "got", await queue.get())

    tasks = [asyncio.create_task(getter(name)) for name in ("a", "b", "c")]
    await tick()
    for i in range(3):
        queue.put_nowait(i)
    await asyncio.gather(*tasks)


@on_one_loop
async def those_who_wait_to_put_do_so_in_the_order_of_their_coming():
    queue = asyncio.Queue(1)
    queue.put_nowait("first")

    async def putter(name):
        await queue.put(name)

    tasks = [asyncio.create_task(putter(name)) for name in ("a", "b", "c")]
    await tick()
    for _ in range(4):
        log(await queue.get())
        await tick()
    await asyncio.gather(*tasks)


@on_any_loops
async def a_cancelled_get_takes_nothing():
    queue = asyncio.Queue()

    async def getter():
        return await queue.get()

    cancelled, other = asyncio.create_task(getter()), asyncio.create_task(getter())
    await tick()
    cancelled.cancel()
    log(await outcome(cancelled))
    await queue.put("it")
    log(await outcome(other), "left", queue.qsize())


@on_any_loops
async def a_cancelled_put_puts_nothing():
    queue = asyncio.Queue(1)
    await queue.put("first")

    async def putter():
        await queue.put("never")

    task = asyncio.create_task(putter())
    await tick()
    task.cancel()
    log(await outcome(task))
    log(await queue.get(), "left", queue.qsize())


@on_any_loops
async def get_with_a_limit():
    queue = asyncio.Queue()
    log(await outcome(asyncio.wait_for(queue.get(), ticks(2))), "at", passed())
    await queue.put("it")
    log(await outcome(asyncio.wait_for(queue.get(), ticks(2))))


@on_any_loops
async def join_waits_until_all_is_done():
    queue = asyncio.Queue()

    async def worker():
        while True:
            await queue.get()
            await tick()
            queue.task_done()

    for i in range(4):
        queue.put_nowait(i)
    workers = [asyncio.create_task(worker()) for _ in range(2)]
    await queue.join()
    log("joined at", passed())
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)


@on_any_loops
async def join_of_an_unused_queue_does_not_wait():
    await asyncio.Queue().join()
    log("joined at", passed())


@on_any_loops
async def task_done_too_often_is_an_error():
    queue = asyncio.Queue()
    log(attempt(queue.task_done))
    queue.put_nowait(1)
    queue.get_nowait()
    log(attempt(queue.task_done))
    log(attempt(queue.task_done))


@on_any_loops
async def a_producer_says_the_end_with_a_sentinel():
    queue = asyncio.Queue(2)

    async def producer():
        for i in range(5):
            await queue.put(i)
        await queue.put(None)

    async def consumer():
        got = []
        while (item := await queue.get()) is not None:
            got.append(item)
        return got

    _, got = await asyncio.gather(producer(), consumer())
    log(got)


@on_any_loops
async def no_item_is_lost_or_doubled_among_many():
    queue = asyncio.Queue(3)

    async def producer(base):
        for i in range(50):
            await queue.put(base + i)

    async def consumer():
        total = 0
        for _ in range(50):
            total += await queue.get()
        return total

    results = await asyncio.gather(*[consumer() for _ in range(4)],
                                   *[producer(1000 * i) for i in range(4)])
    log("sum", sum(result for result in results if result), "left", queue.qsize())


@on_any_loops
async def negative_and_zero_sizes_are_no_limit():
    for size in (0, -1):
        queue = asyncio.Queue(size)
        for i in range(100):
            queue.put_nowait(i)
        log("full", queue.full(), "size", queue.qsize())


@on_any_loops(
    **SHUTDOWN,
    expected="""
        put: raised QueueShutDown
        gave 1
        gave 2
        get: raised QueueShutDown
    """,
)
async def a_queue_that_was_shut_down_gives_what_is_left():
    queue = asyncio.Queue()
    queue.put_nowait(1)
    queue.put_nowait(2)
    queue.shutdown()
    log("put:", attempt(queue.put_nowait, 3))
    log(await outcome(queue.get()))
    log(await outcome(queue.get()))
    log("get:", await outcome(queue.get()))


@on_any_loops(
    **SHUTDOWN,
    expected="""
        get: raised QueueShutDown
        size 0
        joined
    """,
)
async def an_immediate_shutdown_drops_what_is_left():
    queue = asyncio.Queue()
    queue.put_nowait(1)
    queue.put_nowait(2)
    queue.shutdown(immediate=True)
    log("get:", attempt(queue.get_nowait))
    log("size", queue.qsize())
    await queue.join()
    log("joined")


@on_any_loops(
    **SHUTDOWN,
    expected="""
        raised QueueShutDown
        raised QueueShutDown
    """,
)
async def a_shutdown_wakes_those_who_wait_to_get():
    queue = asyncio.Queue()

    async def getter():
        return await queue.get()

    tasks = [asyncio.create_task(getter()) for _ in range(2)]
    await tick()
    queue.shutdown()
    for task in tasks:
        log(await outcome(task))


@on_any_loops(
    **SHUTDOWN,
    expected="""
        raised QueueShutDown
        still there gave first
    """,
)
async def a_shutdown_wakes_those_who_wait_to_put():
    queue = asyncio.Queue(1)
    queue.put_nowait("first")

    async def putter():
        await queue.put("second")

    task = asyncio.create_task(putter())
    await tick()
    queue.shutdown()
    log(await outcome(task))
    log("still there", await outcome(queue.get()))


@on_any_loops(
    **SHUTDOWN,
    expected="""
        joined after task_done
    """,
)
async def join_after_a_shutdown_waits_for_what_was_taken():
    queue = asyncio.Queue()
    queue.put_nowait(1)
    queue.get_nowait()
    queue.shutdown(immediate=True)
    asyncio.get_running_loop().call_later(ticks(1), queue.task_done)
    await queue.join()
    log("joined after task_done")

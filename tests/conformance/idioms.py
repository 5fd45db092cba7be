"""What users of asyncio start from, from the tutorials' first page on."""

import asyncio
import random

from on_asyncio import passed, tick, ticks
from scenario import log, on_any_loops, on_one_loop, outcome


async def fetch(name, count):
    await tick(count)
    return f"{name} done"


@on_any_loops
async def one_after_the_other_takes_the_sum():
    log(await fetch("a", 1), await fetch("b", 2))
    log("ticks", passed())


@on_any_loops
async def side_by_side_takes_the_longest():
    log(await asyncio.gather(fetch("a", 1), fetch("b", 2)))
    log("ticks", passed())


@on_one_loop
async def tasks_run_while_main_does_something_else():
    async def say(text, count):
        await tick(count)
        log(text, "at", passed())

    hello = asyncio.create_task(say("hello", 1))
    world = asyncio.create_task(say("world", 2))
    log("started at", passed())
    await hello
    await world
    log("finished at", passed())


@on_any_loops
async def a_limit_on_how_long_to_wait():
    try:
        await asyncio.wait_for(fetch("slow", 50), ticks(1))
    except asyncio.TimeoutError:
        log("timeout!")


@on_any_loops
async def retry_with_growing_delays():
    attempts = []

    async def unreliable():
        attempts.append(passed())
        if len(attempts) < 4:
            raise ValueError("not yet")
        return "at last"

    async def retry(attempts_max, delay):
        for attempt in range(attempts_max):
            try:
                return await unreliable()
            except ValueError:
                if attempt + 1 == attempts_max:
                    raise
            await tick(delay)
            delay *= 2

    log(await retry(5, 1))
    log("tried at", attempts)


@on_any_loops
async def a_worker_stops_when_it_is_cancelled():
    async def worker():
        count = 0
        try:
            while True:
                await tick(1)
                count += 1
        except asyncio.CancelledError:
            log("worked more than once:", count > 1)
            raise

    task = asyncio.create_task(worker())
    await tick(5)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log("stopped")


@on_any_loops
async def the_most_important_work_is_shielded():
    async def save():
        await tick(2)
        log("saved")

    async def request():
        await asyncio.shield(save())

    task = asyncio.create_task(request())
    await tick()
    task.cancel()
    log(await outcome(task))
    await tick(2)


@on_any_loops
async def a_callback_becomes_a_future():
    def legacy_read(on_done):
        asyncio.get_running_loop().call_later(ticks(1), on_done, "payload")

    async def read():
        future = asyncio.get_running_loop().create_future()
        legacy_read(future.set_result)
        return await future

    log(await read(), await asyncio.wait_for(read(), ticks(5)))


@on_any_loops(any_order=True)
async def a_callback_that_is_called_twice_counts_once():
    def legacy_read(on_data, on_error):
        loop = asyncio.get_running_loop()
        loop.call_later(ticks(1), on_data, "first")
        loop.call_later(ticks(2), on_data, "second")
        loop.call_later(ticks(3), on_error, ValueError("late"))

    future = asyncio.get_running_loop().create_future()

    def on_data(data):
        if not future.done():
            future.set_result(data)
            log("accepted", data)
        else:
            log("ignored", data)

    def on_error(error):
        if not future.done():
            future.set_exception(error)
        else:
            log("ignored", error)

    legacy_read(on_data, on_error)
    log(await future)
    await tick(4)


@on_any_loops
async def a_callback_after_the_waiter_was_cancelled_is_harmless():
    future = asyncio.get_running_loop().create_future()

    def on_data():
        if future.cancelled():
            log("nobody wants it any more")
        else:
            future.set_result("data")

    asyncio.get_running_loop().call_later(ticks(3), on_data)
    try:
        await asyncio.wait_for(future, ticks(1))
    except asyncio.TimeoutError:
        log("gave up")
    await tick(3)


@on_any_loops
async def results_are_worked_on_in_a_pipeline():
    async def download(i):
        await tick(1)
        return i * 10

    async def parse(i):
        data = await download(i)
        await tick(1)
        return data + 1

    log(await asyncio.gather(*[parse(i) for i in range(5)]))
    log("ticks", passed())


@on_any_loops
async def a_periodic_task_with_a_stop():
    beats = []

    async def heartbeat():
        while True:
            beats.append(passed())
            await tick(2)

    task = asyncio.create_task(heartbeat())
    await tick(5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    log(beats)


@on_any_loops
async def the_first_answer_wins_and_the_others_are_cancelled():
    answer = asyncio.get_running_loop().create_future()
    cancelled = []

    async def ask(name, count):
        try:
            await tick(count)
            if not answer.done():
                answer.set_result(name)
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    tasks = [asyncio.create_task(ask(name, count)) for name, count in
             (("slow", 9), ("fast", 1), ("middle", 5))]
    log("winner", await answer)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    log("cancelled", sorted(cancelled), "at", passed())


@on_any_loops
async def a_cache_of_tasks_fetches_once():
    cache, fetched = {}, []

    async def load(key):
        fetched.append(key)
        await tick()
        return key.upper()

    async def get(key):
        if key not in cache:
            cache[key] = asyncio.create_task(load(key))
        return await cache[key]

    log([await get("a"), await get("b"), await get("a")])
    log("fetched", fetched)


@on_any_loops
async def some_of_many_fail_and_the_rest_counts():
    async def job(i):
        await tick(1 + i % 3)
        if i % 4 == 0:
            raise ValueError(str(i))
        return i

    results = await asyncio.gather(*[job(i) for i in range(20)], return_exceptions=True)
    failed = [result for result in results if isinstance(result, ValueError)]
    log("good", sum(result for result in results if isinstance(result, int)))
    log("failed", len(failed), failed)


@on_any_loops
async def a_shutdown_awaits_every_worker():
    async def worker(name, count):
        try:
            await tick(100)
        finally:
            await tick(count)
            log(name, "closed at", passed())

    workers = [asyncio.create_task(worker(name, count)) for name, count in
               (("a", 3), ("b", 1), ("c", 2))]
    await tick()
    for task in workers:
        task.cancel()
    results = await asyncio.gather(*workers, return_exceptions=True)
    log(results)


@on_any_loops
async def a_deadline_is_shared_by_several_steps():
    steps = []

    async def run():
        async with asyncio.timeout(ticks(5)):
            for step in range(4):
                await tick(2)
                steps.append(step)

    log(await outcome(run()))
    log("steps", steps, "at", passed())


@on_any_loops
async def random_sleeps_sort_nothing_but_gather_does():
    rng = random.Random(7)

    async def job(i, count):
        await tick(count)
        return i

    log(await asyncio.gather(*[job(i, rng.randint(0, 3)) for i in range(12)]))

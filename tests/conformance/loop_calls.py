"""call_soon, call_later, call_at, handles and sleep: what runs when."""

import asyncio
import threading

from on_asyncio import passed, tick, ticks
from scenario import log, on_any_loops, on_one_loop


def loop():
    return asyncio.get_running_loop()


@on_one_loop
async def call_soon_is_first_in_first_out():
    for name in ("a", "b", "c"):
        loop().call_soon(log, name)
    log("scheduled")
    await tick()


@on_one_loop
async def callbacks_and_tasks_share_one_order():
    async def work(name):
        log("task", name)

    loop().call_soon(log, "callback 1")
    first = asyncio.create_task(work("a"))
    loop().call_soon(log, "callback 2")
    second = asyncio.create_task(work("b"))
    log("scheduled")
    await first
    await second


@on_one_loop
async def what_a_callback_schedules_goes_behind_what_is_ready():
    def first():
        log("first")
        loop().call_soon(log, "made by first")

    loop().call_soon(first)
    loop().call_soon(log, "second")
    await tick()


@on_one_loop
async def call_later_goes_by_time():
    loop().call_later(ticks(3), lambda: log("3 at", passed()))
    loop().call_later(ticks(1), lambda: log("1 at", passed()))
    loop().call_later(ticks(2), lambda: log("2 at", passed()))
    await tick(4)


@on_any_loops
async def call_at_names_a_point_in_time():
    when = loop().time() + ticks(2)
    handle = loop().call_at(when, lambda: log("called at", passed()))
    log("when", handle.when() == when)
    await tick(3)


@on_any_loops
async def a_cancelled_call_is_not_made():
    soon = loop().call_soon(log, "never")
    later = loop().call_later(ticks(1), log, "never")
    log(soon.cancelled(), later.cancelled())
    soon.cancel()
    later.cancel()
    log(soon.cancelled(), later.cancelled())
    await tick(2)
    log("end")


@on_one_loop
async def a_callback_may_cancel_another_that_is_ready():
    handles = []
    loop().call_soon(lambda: handles[0].cancel())
    handles.append(loop().call_soon(log, "never"))
    loop().call_soon(log, "last")
    await tick()


@on_one_loop
async def an_exception_in_a_callback_goes_to_the_handler_and_the_loop_goes_on():
    loop().set_exception_handler(lambda _, context: log("handler:", context["exception"]))

    def bad():
        raise ValueError("in callback")

    loop().call_soon(bad)
    loop().call_soon(log, "next")
    await tick()


@on_one_loop
async def call_later_of_zero_comes_behind_call_soon():
    loop().call_later(0, log, "later")
    loop().call_soon(log, "soon")
    await tick()


@on_one_loop
async def sleep_zero_lets_what_is_ready_run():
    loop().call_soon(log, "callback")
    log("before")
    await asyncio.sleep(0)
    log("after")


@on_one_loop
async def what_does_not_suspend_lets_nobody_run():
    async def quick():
        return 1

    loop().call_soon(log, "callback")
    log(sum([await quick() for _ in range(5)]))
    await asyncio.sleep(0)


@on_any_loops
async def sleep_gives_a_value():
    log(await asyncio.sleep(ticks(1), "slept"), "at", passed())
    log(await asyncio.sleep(0, "yielded"))


@on_any_loops
async def a_negative_sleep_only_yields():
    await asyncio.sleep(-5)
    log("at", passed())


@on_any_loops
async def sleeps_in_a_row_add_up():
    for count in (1, 2, 3):
        await tick(count)
        log("at", passed())


@on_any_loops(threads=True)
async def another_thread_wakes_the_loop():
    future = loop().create_future()
    running = loop()

    def work():
        running.call_soon_threadsafe(future.set_result, "from the thread")

    thread = threading.Thread(target=work)
    thread.start()
    log(await future)
    thread.join()


@on_any_loops(threads=True)
async def calls_of_one_thread_keep_their_order():
    future = loop().create_future()
    running = loop()

    def work():
        for name in ("a", "b", "c"):
            running.call_soon_threadsafe(log, name)
        running.call_soon_threadsafe(future.set_result, None)

    thread = threading.Thread(target=work)
    thread.start()
    await future
    thread.join()
    log("end")


@on_any_loops(threads=True)
async def a_thread_may_run_a_coroutine_on_the_loop_and_wait():
    running, done = loop(), loop().create_future()

    async def work():
        await tick()
        return "worked"

    def thread_body():
        result = asyncio.run_coroutine_threadsafe(work(), running).result()
        running.call_soon_threadsafe(done.set_result, result)

    thread = threading.Thread(target=thread_body)
    thread.start()
    log(await done)
    thread.join()


@on_one_loop
async def a_callback_chain_by_time():
    def step(count):
        log("step", count, "at", passed())
        if count < 3:
            loop().call_later(ticks(2), step, count + 1)

    step(0)
    await tick(7)


@on_any_loops
async def in_a_callback_there_is_no_current_task():
    done = loop().create_future()
    loop().call_soon(lambda: done.set_result(asyncio.current_task()))
    log(await done)
    log("in a task:", asyncio.current_task() is not None)


@on_any_loops
async def a_callback_may_start_a_task():
    async def work():
        await tick()
        log("worked at", passed())

    loop().call_later(ticks(1), lambda: asyncio.create_task(work()))
    await tick(4)

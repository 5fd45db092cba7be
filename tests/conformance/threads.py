"""to_thread: functions that block, on threads of their own."""

import asyncio
import contextvars
import threading

from on_asyncio import tick
from scenario import log, on_any_loops, outcome

user = contextvars.ContextVar("user", default="nobody")


async def until(event):
    while not event.is_set():
        await tick()


@on_any_loops
async def the_result_of_a_function_comes_back():
    log(await asyncio.to_thread(lambda a, b: a * b, 6, 7))


@on_any_loops
async def the_exception_of_a_function_comes_back():
    def fail():
        raise ValueError("bad")

    log(await outcome(asyncio.to_thread(fail)))


@on_any_loops
async def the_function_has_a_copy_of_its_callers_context():
    def work():
        before = user.get()
        user.set("thread")
        return before + " " + user.get()

    user.set("ann")
    log(await asyncio.to_thread(work))
    log(user.get())


@on_any_loops
async def the_context_is_that_of_the_moment_when_it_is_awaited():
    late = asyncio.to_thread(user.get)
    user.set("ann")
    log(await late)


@on_any_loops
async def a_function_has_no_running_loop():
    def work():
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return "no loop"
        return "a loop"

    log(await asyncio.to_thread(work))


@on_any_loops(threads=True)
async def a_cancelled_wait_leaves_the_function_running():
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()

    def work():
        begun.set()
        go.wait()
        ended.set()

    task = asyncio.create_task(asyncio.to_thread(work))
    await until(begun)
    task.cancel("enough")
    log(await outcome(task))
    log("ended", ended.is_set())
    go.set()
    await until(ended)
    log("ended", ended.is_set())


@on_any_loops(threads=True)
async def a_time_limit_leaves_the_function_running():
    go, ended = threading.Event(), threading.Event()

    def work():
        go.wait()
        ended.set()

    log(await outcome(asyncio.wait_for(asyncio.to_thread(work), 0.01)))
    log("ended", ended.is_set())
    go.set()
    await until(ended)


@on_any_loops(threads=True)
def run_waits_for_functions_whose_wait_was_cancelled():
    begun, go = threading.Event(), threading.Event()

    def work():
        begun.set()
        go.wait()
        log("the function ends")

    async def wait_for_it():
        try:
            await asyncio.to_thread(work)
        except asyncio.CancelledError:
            log("cancelled")
            asyncio.get_running_loop().call_later(0.01, go.set)
            raise

    async def main():
        asyncio.create_task(wait_for_it())
        await until(begun)
        log("main ends")

    asyncio.run(main())
    log("run is over")


@on_any_loops(threads=True)
def run_waits_for_functions_that_still_call_the_loop():
    begun = threading.Event()

    def work(loop):
        called = threading.Event()
        begun.set()
        loop.call_soon_threadsafe(called.set)
        called.wait()
        log("the function ends")

    async def main():
        asyncio.create_task(asyncio.to_thread(work, asyncio.get_running_loop()))
        await until(begun)

    asyncio.run(main())
    log("run is over")

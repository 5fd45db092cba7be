"""Asynchronous context managers, exit stacks, and finally with an await."""

import asyncio
import contextlib

from on_asyncio import passed, tick, ticks
from scenario import log, on_any_loops, outcome


class Resource:
    def __init__(self, name, swallow=False, fails_in=""):
        self.name, self.swallow, self.fails_in = name, swallow, fails_in

    async def __aenter__(self):
        await tick()
        if self.fails_in == "enter":
            raise ValueError(f"{self.name} cannot be entered")
        log("enter", self.name)
        return self

    async def __aexit__(self, kind, error, traceback):
        await tick()
        log("exit", self.name, error)
        if self.fails_in == "exit":
            raise ValueError(f"{self.name} cannot be left")
        return self.swallow


@on_any_loops
async def a_manager_is_entered_and_left():
    async with Resource("a") as resource:
        log("body with", resource.name)
    log("end")


@on_any_loops
async def a_manager_is_left_when_its_body_raises():
    async def run():
        async with Resource("a"):
            raise ValueError("body")

    log(await outcome(run()))


@on_any_loops
async def a_manager_may_swallow_the_exception():
    async with Resource("a", swallow=True):
        raise ValueError("swallowed")
    log("goes on")


@on_any_loops
async def a_manager_that_cannot_be_entered_is_not_left():
    async def run():
        async with Resource("a", fails_in="enter"):
            log("never")

    log(await outcome(run()))


@on_any_loops
async def an_exception_on_the_way_out_takes_the_place_of_the_bodys():
    async def run():
        async with Resource("a", fails_in="exit"):
            raise LookupError("body")

    log(await outcome(run()))


@on_any_loops
async def a_manager_is_left_when_its_task_is_cancelled():
    async def run():
        async with Resource("a"):
            await tick(100)

    task = asyncio.create_task(run())
    await tick(2)
    task.cancel("from outside")
    log(await outcome(task))


@on_any_loops
async def a_manager_is_left_when_time_is_up():
    async def run():
        async with asyncio.timeout(ticks(3)):
            async with Resource("a"):
                await tick(100)

    log(await outcome(run()), "at", passed())


@on_any_loops
async def a_manager_is_left_when_a_sibling_in_the_group_fails():
    async def worker():
        async with Resource("a"):
            await tick(100)

    async def fail():
        await tick(3)
        raise ValueError("sibling")

    async def run():
        async with asyncio.TaskGroup() as group:
            group.create_task(worker())
            group.create_task(fail())

    log(await outcome(run()))


@on_any_loops
async def managers_are_left_in_the_reverse_order():
    async with Resource("a"):
        async with Resource("b"):
            log("body")


@on_any_loops
async def an_exit_stack_leaves_everything_newest_first():
    async with contextlib.AsyncExitStack() as stack:
        first = await stack.enter_async_context(Resource("a"))
        log("got", first.name)
        await stack.enter_async_context(Resource("b"))
        stack.callback(log, "plain callback")
        stack.push_async_callback(say, "awaited callback")
        log("body")
    log("end")


async def say(text):
    await tick()
    log(text)


@on_any_loops
async def an_exit_stack_leaves_everything_though_the_body_raises():
    async def run():
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(say, "callback")
            await stack.enter_async_context(Resource("a"))
            raise ValueError("body")

    log(await outcome(run()))


@on_any_loops
async def what_is_on_an_exit_stack_may_swallow_the_exception():
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(Resource("outer"))
        await stack.enter_async_context(Resource("swallows", swallow=True))
        await stack.enter_async_context(Resource("inner"))
        raise ValueError("body")
    log("goes on")


@on_any_loops
async def an_exit_stack_whose_entering_fails_leaves_what_it_had():
    async def run():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(Resource("a"))
            await stack.enter_async_context(Resource("b", fails_in="enter"))
            log("never")

    log(await outcome(run()))


@on_any_loops
async def an_exit_stack_may_be_left_by_hand():
    stack = contextlib.AsyncExitStack()
    await stack.enter_async_context(Resource("a"))
    stack.push_async_callback(say, "callback")
    log("leaving")
    await stack.aclose()
    await stack.aclose()
    log("left")


@on_any_loops
async def what_is_popped_off_an_exit_stack_stays_entered():
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(Resource("a"))
        kept = stack.pop_all()
    log("the stack is left")
    await kept.aclose()


@on_any_loops
async def finally_awaits_after_a_return():
    async def run():
        try:
            return "value"
        finally:
            await say("clean-up")

    log(await outcome(run()))


@on_any_loops
async def finally_awaits_after_an_exception():
    async def run():
        try:
            raise ValueError("body")
        finally:
            await say("clean-up")

    log(await outcome(run()))


@on_any_loops
async def finally_awaits_after_a_cancel():
    async def run():
        try:
            await tick(100)
        finally:
            await say("clean-up")

    task = asyncio.create_task(run())
    await tick()
    task.cancel("why")
    log(await outcome(task))


@on_any_loops
async def an_exception_in_finally_wins():
    async def run():
        try:
            raise ValueError("body")
        finally:
            await tick()
            raise LookupError("clean-up")

    log(await outcome(run()))


@on_any_loops(
    departs="try_finally's clean-up is shielded: a second cancel waits for it. In asyncio, `finally` "
            "is cut short by it, unless what it awaits is shielded.",
    expected="""
        clean-up ends at t5
        raised CancelledError: first
    """,
)
async def a_second_cancel_waits_for_the_clean_up():
    async def run():
        try:
            await tick(100)
        finally:
            await tick(4)
            log("clean-up ends at", passed())

    task = asyncio.create_task(run())
    await tick()
    task.cancel("first")
    await tick()
    task.cancel("second")
    log(await outcome(task))

"""Exceptions: where they go, groups of them, and those that nobody takes."""

import asyncio
import gc

from on_asyncio import tick
from scenario import attempt, log, on_any_loops, on_one_loop, outcome


async def fail(text):
    await tick()
    raise ValueError(text)


def log_reports():
    """Logs what the exception handler is told."""
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: log("handler:", "never retrieved" in context["message"],
                               context.get("exception")))


@on_any_loops
async def an_exception_passes_through_awaits_to_the_one_who_catches():
    async def middle():
        try:
            await fail("deep")
        finally:
            log("middle is left")

    try:
        await middle()
    except ValueError as error:
        log("caught", error)


@on_any_loops
async def an_exception_of_a_task_is_raised_at_its_await():
    task = asyncio.create_task(fail("in task"))
    await tick(2)
    log("not yet")
    try:
        await task
    except ValueError as error:
        log("caught", error)


@on_any_loops
async def an_exception_that_nobody_takes_goes_to_the_handler():
    log_reports()
    task = asyncio.create_task(fail("forgotten"))
    await tick(2)
    log("dropping it")
    del task
    gc.collect()
    await tick()


@on_any_loops
async def an_exception_that_was_taken_is_not_reported():
    log_reports()
    for take in (lambda task: task.exception(), lambda task: attempt(task.result)):
        task = asyncio.create_task(fail("seen"))
        await tick(2)
        log(take(task))
        del task
    awaited = asyncio.create_task(fail("awaited"))
    log(await outcome(awaited))
    del awaited
    await tick()


@on_any_loops
async def a_future_with_an_exception_that_nobody_takes_is_reported():
    log_reports()
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError("forgotten"))
    del future
    await tick()


@on_any_loops
async def a_cancelled_task_is_not_reported():
    log_reports()
    task = asyncio.create_task(tick(100))
    await tick()
    task.cancel()
    await tick()
    del task
    await tick()
    log("end")


@on_any_loops
async def a_second_failure_of_a_gather_is_not_reported():
    log_reports()
    try:
        await asyncio.gather(fail("first"), later_failure())
    except ValueError as error:
        log("caught", error)
    await tick(4)
    gc.collect()
    log("end")


async def later_failure():
    await tick(2)
    raise ValueError("second")


@on_any_loops
async def an_exception_in_finally_takes_the_place_of_the_first():
    async def work():
        try:
            await fail("first")
        finally:
            raise LookupError("second")

    log(await outcome(work()))


@on_any_loops
async def a_group_is_split_by_type():
    group = ExceptionGroup("all", [ValueError("a"), LookupError("b"), ValueError("c")])
    values, rest = group.split(ValueError)
    log(values, rest)
    log(group.subgroup(LookupError))
    log(group.subgroup(KeyboardInterrupt))
    log(group.split(Exception))


@on_any_loops
async def a_nested_group_keeps_its_shape_when_it_is_split():
    inner = ExceptionGroup("inner", [ValueError("a"), LookupError("b")])
    group = ExceptionGroup("outer", [inner, ValueError("c")])
    values, rest = group.split(ValueError)
    log(values)
    log(rest)
    log(group.message, len(group.exceptions))


@on_any_loops
async def a_group_needs_an_exception():
    log(attempt(lambda: ExceptionGroup("empty", [])))


@on_any_loops
async def a_failed_task_keeps_its_exception_for_all_who_ask():
    task = asyncio.create_task(fail("kept"))
    await tick(2)
    log(task.exception())
    log(await outcome(task))
    log(await outcome(asyncio.gather(task)))


@on_one_loop
async def the_handler_is_told_of_a_failing_done_callback():
    log_reports()

    def bad(_):
        raise ValueError("in callback")

    task = asyncio.create_task(tick())
    task.add_done_callback(bad)
    task.add_done_callback(lambda _: log("next callback"))
    reports = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: reports.append(context["exception"]))
    await tick(2)
    log(reports)


@on_any_loops
async def the_text_for_a_forgotten_task_is_pythons():
    asyncio.get_running_loop().set_exception_handler(lambda _, context: log(context["message"]))
    asyncio.create_task(fail("x"))
    await tick(2)
    gc.collect()
    await tick()

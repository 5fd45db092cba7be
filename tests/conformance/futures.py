"""Futures: completion, waiters, callbacks, cancellation."""

import asyncio

from on_asyncio import tick
from scenario import attempt, log, on_any_loops, on_one_loop, outcome


def new_future():
    return asyncio.get_running_loop().create_future()


@on_any_loops
async def a_result_wakes_the_one_who_waits():
    future = new_future()

    async def setter():
        await tick()
        log("set")
        future.set_result(42)

    task = asyncio.create_task(setter())
    log("got", await future)
    await task


@on_any_loops
async def an_exception_is_raised_at_the_one_who_waits():
    future = new_future()
    asyncio.get_running_loop().call_later(1, future.set_exception, ValueError("set"))
    log(await outcome(future))
    log("exception", future.exception())


@on_any_loops
async def a_second_completion_is_invalid():
    future = new_future()
    log(attempt(future.set_result, 1))
    log(attempt(future.set_result, 2))
    log(attempt(future.set_exception, ValueError("late")))
    log("cancel", future.cancel())
    log("result", future.result())


@on_any_loops
async def nothing_can_be_read_before_it_is_done():
    future = new_future()
    log("done", future.done(), "cancelled", future.cancelled())
    log(attempt(future.result))
    log(attempt(future.exception))
    future.set_result(1)
    log("done", future.done(), "cancelled", future.cancelled())
    log("exception", future.exception())


@on_one_loop
async def waiters_wake_in_the_order_in_which_they_came():
    future = new_future()

    async def waiter(name):
        log(name, "got", await future)

    tasks = [asyncio.create_task(waiter(name)) for name in ("a", "b", "c")]
    await tick()
    future.set_result("it")
    log("set")
    for task in tasks:
        await task


@on_one_loop
async def awaiting_what_is_done_does_not_suspend():
    async def other():
        log("other")

    future = new_future()
    future.set_result(1)
    task = asyncio.create_task(other())
    log("got", await future)
    await task


@on_any_loops(any_order=True)
async def a_cancelled_future_raises_at_each_who_waits():
    future = new_future()

    async def waiter():
        try:
            await future
        except asyncio.CancelledError:
            log("cancelled; cancelling", asyncio.current_task().cancelling())
            raise

    tasks = [asyncio.create_task(waiter()) for _ in range(2)]
    await tick()
    log("cancel", future.cancel("why"))
    log("cancel", future.cancel("again"))
    await tick()
    log("tasks cancelled", [task.cancelled() for task in tasks])
    log("result:", attempt(future.result))
    log("exception:", attempt(future.exception))


@on_any_loops
async def the_text_given_to_cancel_arrives():
    future = new_future()
    asyncio.get_running_loop().call_later(1, future.cancel, "the reason")
    log(await outcome(future))
    try:
        future.result()
    except asyncio.CancelledError as error:
        log("result", error)


@on_any_loops
async def cancelling_a_task_cancels_the_future_it_awaits():
    future = new_future()

    async def waiter():
        await future

    task = asyncio.create_task(waiter())
    await tick()
    task.cancel()
    log(await outcome(task))
    log("future cancelled", future.cancelled())
    log("set_result:", attempt(future.set_result, 1))


@on_any_loops
async def cancelling_one_waiter_cancels_the_future_for_all():
    future = new_future()

    async def waiter():
        return await outcome(future)

    one = asyncio.create_task(waiter())
    two = asyncio.create_task(waiter())
    await tick()
    one.cancel()
    log("other:", await two)
    log("first:", await one)


@on_one_loop
async def callbacks_are_called_soon_and_in_order():
    future = new_future()
    for name in ("a", "b", "c"):
        future.add_done_callback(lambda done, name=name: log(name, done.result()))
    future.set_result(9)
    log("set")
    await tick()


@on_one_loop
async def callbacks_and_waiters_keep_the_order_of_their_coming():
    future = new_future()

    async def waiter():
        await future
        log("waiter")

    future.add_done_callback(lambda _: log("callback 1"))
    task = asyncio.create_task(waiter())
    await tick()
    future.add_done_callback(lambda _: log("callback 2"))
    future.set_result(None)
    await task
    await tick()


@on_any_loops
async def a_callback_hears_of_a_cancel_too():
    future = new_future()
    future.add_done_callback(lambda done: log("cancelled", done.cancelled()))
    future.cancel()
    await tick()


@on_one_loop
async def a_callback_that_raises_does_not_stop_the_others():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: log("handler:", context["exception"]))
    future = new_future()

    def bad(_):
        raise ValueError("in callback")

    future.add_done_callback(lambda _: log("before"))
    future.add_done_callback(bad)
    future.add_done_callback(lambda _: log("after"))
    future.set_result(None)
    await tick()


@on_any_loops
async def a_removed_callback_is_not_called():
    future = new_future()

    def first(_):
        log("first")

    future.add_done_callback(first)
    future.add_done_callback(lambda _: log("second"))
    log("removed", future.remove_done_callback(first))
    future.set_result(None)
    await tick()
    log("removed", future.remove_done_callback(first))


@on_any_loops
async def one_future_completes_another():
    source, target = new_future(), new_future()
    source.add_done_callback(lambda done: target.set_result(done.result() * 2))
    asyncio.get_running_loop().call_later(1, source.set_result, 21)
    log(await target)


@on_any_loops
async def an_exception_reaches_every_waiter():
    future = new_future()

    async def waiter():
        return await outcome(future)

    tasks = [asyncio.create_task(waiter()) for _ in range(3)]
    await tick()
    future.set_exception(ValueError("for all"))
    for task in tasks:
        log(await task)


@on_one_loop(
    departs="A result that was there before the cancel is delivered, and the next suspension is "
            "cancelled; asyncio raises CancelledError and drops the result.",
    expected="""
        cancel True
        got 1
        cancelled at the next suspension
        task cancelled True
    """,
)
async def a_result_that_came_before_the_cancel_is_not_lost():
    future = new_future()

    async def waiter():
        log("got", await future)
        try:
            await tick()
        except asyncio.CancelledError:
            log("cancelled at the next suspension")
            raise

    task = asyncio.create_task(waiter())
    await tick()
    future.set_result(1)
    log("cancel", task.cancel())
    await outcome(task)
    log("task cancelled", task.cancelled())


@on_one_loop
async def a_cancel_that_came_before_the_result_wins():
    future = new_future()

    async def waiter():
        await future

    task = asyncio.create_task(waiter())
    await tick()
    log("cancel", task.cancel())
    log("set_result:", attempt(future.set_result, 1))
    log(await outcome(task))

"""Task.cancel: delivered once, at the suspension in progress or the next; who may swallow it."""

import asyncio

from on_asyncio import tick, ticks
from scenario import log, on_any_loops, on_one_loop, outcome


@on_one_loop
async def a_task_cancelled_before_its_start_never_runs():
    async def work():
        log("never")

    task = asyncio.create_task(work())
    log("cancel", task.cancel())
    log(await outcome(task))
    log("cancelled", task.cancelled())


@on_one_loop
async def a_cancel_is_raised_where_the_task_waits():
    async def work():
        try:
            await tick(100)
        except asyncio.CancelledError as error:
            log("in the task", error)
            raise
        finally:
            log("finally")

    task = asyncio.create_task(work())
    await tick()
    log("cancel", task.cancel("enough"))
    log("done", task.done())
    log(await outcome(task))
    log("done", task.done(), "cancelled", task.cancelled(), "cancelling", task.cancelling())


@on_one_loop
async def two_cancels_before_delivery_are_raised_once():
    async def work():
        try:
            await tick(100)
        except asyncio.CancelledError:
            log("raised")
        await tick()
        return "went on"

    task = asyncio.create_task(work())
    await tick()
    log(task.cancel(), task.cancel(), task.cancelling())
    log(await outcome(task))


@on_any_loops
async def a_done_task_cannot_be_cancelled():
    async def work():
        return 1

    task = asyncio.create_task(work())
    await task
    log("cancel", task.cancel(), "cancelling", task.cancelling())
    log("cancelled", task.cancelled(), "result", task.result())


@on_any_loops
async def a_swallowed_cancel_is_not_raised_again():
    async def work():
        try:
            await tick(100)
        except asyncio.CancelledError:
            log("swallowed; cancelling", asyncio.current_task().cancelling())
        await tick()
        log("next await is fine; cancelling", asyncio.current_task().cancelling())
        return 3

    task = asyncio.create_task(work())
    await tick()
    task.cancel()
    log(await outcome(task))
    log("cancelled", task.cancelled())


@on_any_loops
async def uncancel_takes_back_one_request():
    async def work():
        for _ in range(2):
            try:
                await tick(100)
            except asyncio.CancelledError:
                log("cancelling", asyncio.current_task().cancelling())
        task = asyncio.current_task()
        log(task.uncancel(), task.uncancel(), task.uncancel())

    task = asyncio.create_task(work())
    await tick()
    task.cancel()
    await tick()
    task.cancel()
    await task


@on_any_loops
async def a_second_cancel_interrupts_the_clean_up():
    async def work():
        try:
            await tick(100)
        finally:
            log("cleaning")
            try:
                await tick(100)
                log("never")
            finally:
                log("clean-up cut short")

    async def cleaned():
        await work()

    task = asyncio.create_task(cleaned())
    await tick()
    task.cancel("one")
    await tick()
    log("done", task.done())
    task.cancel("two")
    log(await outcome(task))


@on_any_loops
async def clean_up_may_await():
    async def work():
        try:
            await tick(100)
        finally:
            await tick(2)
            log("cleaned")

    task = asyncio.create_task(work())
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def a_cancel_goes_to_the_task_that_is_awaited():
    async def child():
        try:
            await tick(100)
        except asyncio.CancelledError as error:
            log("child", error)
            raise

    inner = asyncio.create_task(child())

    async def parent():
        try:
            await inner
        except asyncio.CancelledError as error:
            log("parent", error)
            raise

    outer = asyncio.create_task(parent())
    await tick()
    outer.cancel("pass it on")
    log(await outcome(outer))
    log("child cancelled", inner.cancelled(), "cancelling", inner.cancelling())


@on_any_loops
async def a_parent_waits_until_its_cancelled_child_has_cleaned_up():
    async def child():
        try:
            await tick(100)
        except asyncio.CancelledError:
            pass
        await tick(3)
        log("child cleaned up")
        raise asyncio.CancelledError

    inner = asyncio.create_task(child())

    async def parent():
        try:
            await inner
        finally:
            log("parent ends")

    outer = asyncio.create_task(parent())
    await tick()
    outer.cancel()
    await outcome(outer)


@on_any_loops
async def a_child_that_swallows_the_cancel_gives_its_parent_a_result():
    async def child():
        try:
            await tick(100)
        except asyncio.CancelledError:
            log("child swallows")
        return "in spite"

    inner = asyncio.create_task(child())

    async def parent():
        log("child gave", await inner)
        log("cancelling", asyncio.current_task().cancelling())
        await tick()
        return "parent went on"

    outer = asyncio.create_task(parent())
    await tick()
    outer.cancel()
    log(await outcome(outer))


@on_any_loops
async def a_cancel_passes_through_every_frame_from_the_inside():
    async def frame(depth):
        try:
            if depth == 3:
                await tick(100)
            else:
                await frame(depth + 1)
        finally:
            log("leaving", depth)

    task = asyncio.create_task(frame(0))
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def a_task_that_cancels_itself_hears_of_it_at_its_next_suspension():
    async def no_suspension():
        return "no suspension"

    async def work():
        asyncio.current_task().cancel()
        log("still running")
        log(await no_suspension())
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            log("now")
            raise

    log(await outcome(asyncio.create_task(work())))


@on_any_loops()
async def a_task_that_cancels_itself_and_returns_is_cancelled():
    async def work():
        asyncio.current_task().cancel()
        return "lost"

    task = asyncio.create_task(work())
    log(await outcome(task))
    log("cancelled", task.cancelled())


@on_any_loops
async def another_exception_takes_the_place_of_the_cancel():
    async def work():
        try:
            await tick(100)
        except asyncio.CancelledError:
            raise ValueError("instead") from None

    task = asyncio.create_task(work())
    await tick()
    task.cancel()
    log(await outcome(task))
    log("cancelled", task.cancelled(), "exception", task.exception())


@on_any_loops
async def a_cancelled_error_raised_by_hand_cancels_the_task():
    async def work():
        await tick()
        raise asyncio.CancelledError("by hand")

    task = asyncio.create_task(work())
    log(await outcome(task))
    log("cancelled", task.cancelled(), "cancelling", task.cancelling())


@on_any_loops
async def awaiting_a_cancelled_task_does_not_cancel_the_one_who_awaits():
    async def parent(child):
        log(await outcome(child))
        log("cancelling", asyncio.current_task().cancelling())
        await tick()
        log("parent goes on")

    child = asyncio.create_task(tick(100))
    task = asyncio.create_task(parent(child))
    await tick()
    child.cancel()
    await task


@on_any_loops
async def handlers_of_ordinary_exceptions_do_not_see_a_cancel():
    async def work():
        try:
            await tick(100)
        except Exception:
            log("never")

    task = asyncio.create_task(work())
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def a_stubborn_task_is_cancelled_as_often_as_it_is_asked():
    async def work():
        for attempt in range(4):
            try:
                await tick(100)
            except asyncio.CancelledError:
                log("ignored", attempt)
        return "done at last"

    task = asyncio.create_task(work())
    for _ in range(4):
        await tick()
        task.cancel()
    log(await outcome(task))
    log("cancelling", task.cancelling())


@on_one_loop
async def cancelled_tasks_end_in_the_order_of_their_cancels():
    async def work(name):
        try:
            await tick(100)
        finally:
            log(name)

    tasks = {name: asyncio.create_task(work(name)) for name in ("a", "b", "c")}
    await tick()
    for name in ("c", "a", "b"):
        tasks[name].cancel()
    await tick()


@on_any_loops
async def a_callback_may_cancel():
    async def work():
        await tick(100)

    task = asyncio.create_task(work())
    asyncio.get_running_loop().call_later(ticks(1), task.cancel, "from a callback")
    log(await outcome(task))


@on_any_loops(
    departs="The text given to cancel stays with the task; CPython gives it to the first who asks.",
    expected="""
        CancelledError: text
        CancelledError: text
    """,
)
async def the_result_of_a_cancelled_task_is_a_cancelled_error():
    task = asyncio.create_task(tick(100))
    await tick()
    task.cancel("text")
    await outcome(task)
    for read in (task.result, task.exception):
        try:
            read()
        except asyncio.CancelledError as error:
            log(error)


@on_any_loops
async def a_task_that_only_yields_can_be_cancelled():
    async def work():
        while True:
            await asyncio.sleep(0)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def done_callbacks_hear_of_a_cancelled_task():
    task = asyncio.create_task(tick(100))
    task.add_done_callback(lambda done: log("cancelled", done.cancelled()))
    await tick()
    task.cancel()
    await tick()


@on_any_loops
async def a_cancel_reaches_the_end_of_a_chain_of_tasks():
    async def link(depth):
        if depth == 0:
            await tick(100)
        else:
            await asyncio.create_task(link(depth - 1))

    task = asyncio.create_task(link(20))
    await tick()
    task.cancel("far")
    log(await outcome(task))
    log("left", len(asyncio.all_tasks()))

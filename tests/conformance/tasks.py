"""Tasks: order, results, names, callbacks."""

import asyncio

from on_asyncio import tick
from scenario import attempt, kind, log, on_any_loops, on_one_loop, outcome


@on_one_loop
async def tasks_start_in_the_order_in_which_they_were_made():
    async def child(name):
        log("start", name)
        await asyncio.sleep(0)
        log("end", name)

    tasks = [asyncio.create_task(child(name)) for name in ("a", "b", "c")]
    log("made")
    for task in tasks:
        await task


@on_any_loops
async def a_coroutine_does_nothing_until_it_is_awaited():
    async def work():
        log("runs")
        return 3

    made = work()
    log("made")
    await tick()
    log("result", await made)


@on_one_loop
async def an_awaited_coroutine_runs_in_place():
    async def other():
        log("other task")

    async def inner():
        log("inner")
        return 1

    task = asyncio.create_task(other())
    log("inner gave", await inner())
    await task


@on_any_loops
async def a_coroutine_can_be_awaited_once():
    async def work():
        log("runs")

    made = work()
    await made
    try:
        await made
    except RuntimeError as error:
        log("again:", kind(error))


@on_any_loops
async def a_task_gives_its_result_as_often_as_it_is_awaited():
    async def work():
        await tick()
        return 7

    task = asyncio.create_task(work())
    log(await task, await task, task.result())
    log("exception", task.exception())


@on_any_loops
async def a_task_raises_its_exception_as_often_as_it_is_awaited():
    async def work():
        await tick()
        raise ValueError("bad")

    task = asyncio.create_task(work())
    for _ in range(2):
        log(await outcome(task))
    log("exception", task.exception())
    log("cancelled", task.cancelled())


@on_any_loops
async def result_and_exception_are_invalid_before_the_end():
    task = asyncio.create_task(tick())
    log("done", task.done())
    log("result:", attempt(task.result))
    log("exception:", attempt(task.exception))
    await task
    log("done", task.done())
    log("result:", attempt(task.result))


@on_one_loop
async def those_who_await_a_task_wake_in_the_order_in_which_they_came():
    async def work():
        await tick()
        return "result"

    async def waiter(name, task):
        log(name, "got", await task)

    task = asyncio.create_task(work())
    waiters = [asyncio.create_task(waiter(name, task)) for name in ("a", "b", "c")]
    for each in waiters:
        await each


@on_one_loop
async def a_task_that_yields_goes_behind_all_that_are_ready():
    async def worker(name):
        for turn in range(3):
            log(name, turn)
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(worker(name)) for name in ("a", "b", "c")]
    for task in tasks:
        await task


@on_one_loop
async def sleepers_wake_by_their_time_not_by_their_order():
    async def sleeper(count):
        await tick(count)
        log("slept", count)

    tasks = [asyncio.create_task(sleeper(count)) for count in (3, 1, 2)]
    for task in tasks:
        await task


@on_any_loops
async def current_task_is_the_one_that_runs():
    async def inner():
        return asyncio.current_task().get_name()

    async def work():
        log("in place:", await inner())
        await tick()
        log("later:", asyncio.current_task().get_name())

    await asyncio.create_task(work(), name="worker")


@on_any_loops
async def a_task_has_a_name_that_can_be_changed():
    task = asyncio.create_task(tick(), name="first")
    log(task.get_name())
    task.set_name("second")
    log(task.get_name())
    other = asyncio.create_task(tick())
    log("default starts with Task-:", other.get_name().startswith("Task-"))
    log("names differ:", other.get_name() != asyncio.current_task().get_name())
    await task
    await other


@on_any_loops
async def all_tasks_are_those_that_have_not_ended():
    def names():
        return sorted(task.get_name() for task in asyncio.all_tasks())

    asyncio.current_task().set_name("main")
    short = asyncio.create_task(tick(1), name="short")
    asyncio.create_task(tick(3), name="long")
    log(names())
    await short
    log(names())
    await tick(4)
    log(names())


@on_one_loop
async def done_callbacks_are_called_in_order_after_the_end():
    async def work():
        await tick()
        log("work ends")
        return 5

    task = asyncio.create_task(work())
    task.add_done_callback(lambda done: log("first", done.result()))
    task.add_done_callback(lambda done: log("second", done.result()))
    await tick(2)
    log("end")


@on_one_loop
async def a_done_callback_that_comes_late_is_called_soon_not_now():
    async def work():
        return 5

    task = asyncio.create_task(work())
    await task
    task.add_done_callback(lambda done: log("called", done.result()))
    log("added")
    await tick()


@on_any_loops
async def a_removed_done_callback_is_not_called():
    async def work():
        await tick()

    def unwanted(_):
        log("unwanted")

    task = asyncio.create_task(work())
    task.add_done_callback(unwanted)
    task.add_done_callback(lambda _: log("wanted"))
    log("removed", task.remove_done_callback(unwanted))
    log("removed", task.remove_done_callback(unwanted))
    await tick(2)


@on_any_loops
async def a_task_whose_handle_is_dropped_goes_on():
    async def work():
        await tick()
        log("worked")

    asyncio.create_task(work())
    await tick(2)
    log("end")


@on_any_loops
async def the_result_of_a_task_cannot_be_set_from_outside():
    async def work():
        await tick()
        return 1

    task = asyncio.create_task(work())
    try:
        task.set_result(2)
        log("accepted")
    except RuntimeError:
        log("refused")
    log(await task)


@on_one_loop
async def a_task_cannot_await_itself():
    box = []

    async def work():
        await tick()
        try:
            await box[0]
        except RuntimeError as error:
            log(kind(error))
        return "went on"

    box.append(asyncio.create_task(work()))
    log(await box[0])


@on_any_loops
async def tasks_make_tasks():
    async def node(depth):
        if depth == 0:
            return 1
        left = asyncio.create_task(node(depth - 1))
        right = asyncio.create_task(node(depth - 1))
        return await left + await right

    log(await node(6))


@on_any_loops
async def a_deep_chain_of_awaits_gives_its_result():
    async def count(depth):
        if depth == 0:
            await tick()
            return 0
        return 1 + await count(depth - 1)

    log(await count(300))


@on_one_loop(
    since=(3, 14),
    doc="https://docs.python.org/3.14/library/asyncio-task.html#asyncio.create_task",
    expected="""
        before
        starts at once
        after
        ends
    """,
)
async def an_eager_task_starts_at_once():
    async def work():
        log("starts at once")
        await asyncio.sleep(0)
        log("ends")

    log("before")
    task = asyncio.create_task(work(), eager_start=True)
    log("after")
    await task


@on_any_loops(
    since=(3, 14),
    doc="https://docs.python.org/3.14/library/asyncio-task.html#asyncio.eager_task_factory",
    expected="""
        done True
        gave 4
        failed: True
        raised ValueError: early
    """,
)
async def an_eager_task_that_never_suspends_is_done_at_once():
    async def work():
        return 4

    async def fail():
        raise ValueError("early")

    task = asyncio.create_task(work(), eager_start=True)
    log("done", task.done())
    log(await outcome(task))
    failed = asyncio.create_task(fail(), eager_start=True)
    log("failed:", failed.done())
    log(await outcome(failed))

"""Nurseries (Trio): children, failures, the nursery's scope, start and TaskStatus."""

import trio

from on_trio import passed, tick, ticks
from scenario import log, on_any_loops, outcome


async def fail(text, count=1):
    await tick(count)
    raise ValueError(text)


async def wait_long(name):
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        log(name, "cancelled at", passed())
        raise


@on_any_loops
async def a_nursery_waits_for_its_children():
    async def child(count):
        await tick(count)
        log("child", count)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(child, 2)
        nursery.start_soon(child, 1)
        log("body ends")
    log("over at", passed())


@on_any_loops
async def an_empty_nursery_ends_at_once():
    async with trio.open_nursery():
        log("body")
    log("over at", passed())


@on_any_loops
async def a_failing_child_cancels_the_others_and_the_body():
    async def run():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait_long, "sibling")
            nursery.start_soon(fail, "bad")
            await trio.sleep_forever()

    log(await outcome(run()))


@on_any_loops
async def a_failing_body_cancels_the_children():
    async def run():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait_long, "child")
            await fail("body")

    log(await outcome(run()))


@on_any_loops
async def failures_of_several_come_together():
    async def fails_when_cancelled(text):
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            raise ValueError(text) from None

    async def run():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fails_when_cancelled, "same")
            nursery.start_soon(fails_when_cancelled, "same")
            await tick()
            raise ValueError("same")

    log(await outcome(run()))


@on_any_loops
async def cancelling_the_scope_of_a_nursery_is_no_error():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait_long, "child")
        await tick()
        nursery.cancel_scope.cancel()
    log("caught", nursery.cancel_scope.cancelled_caught, "at", passed())


@on_any_loops
async def a_child_may_cancel_its_nursery():
    async def stops(nursery):
        await tick(2)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(stops, nursery)
        nursery.start_soon(wait_long, "sibling")
    log("over at", passed())


@on_any_loops
async def children_may_start_children():
    async def grow(nursery, depth):
        if depth:
            nursery.start_soon(grow, nursery, depth - 1)
        await tick(depth)
        log("depth", depth)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(grow, nursery, 3)
    log("over at", passed())


@on_any_loops
async def a_child_that_swallows_its_cancel_ends_by_itself():
    async def stubborn():
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            log("swallowed")

    async def run():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stubborn)
            nursery.start_soon(fail, "bad")

    log(await outcome(run()))


@on_any_loops
async def an_outer_scope_ends_the_whole_nursery():
    with trio.move_on_after(ticks(2)) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait_long, "child")
            nursery.start_soon(wait_long, "child")
    log("caught", scope.cancelled_caught, "at", passed())


@on_any_loops
async def a_failure_while_an_outer_scope_cancels_is_raised():
    async def breaks():
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            raise ValueError("clean-up") from None

    async def run():
        with trio.move_on_after(ticks(1)):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(breaks)

    log(await outcome(run()))


@on_any_loops
async def nurseries_nest_and_so_do_their_failures():
    async def run():
        async with trio.open_nursery() as outer:
            outer.start_soon(wait_long, "outer child")
            async with trio.open_nursery() as inner:
                inner.start_soon(fail, "inner")

    log(await outcome(run()))


@on_any_loops
async def a_nursery_in_a_shield_outlives_an_outer_cancel():
    async def work():
        await tick(3)
        log("worked at", passed())

    with trio.move_on_after(ticks(1)) as scope:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(work)
        await trio.sleep_forever()
    log("caught", scope.cancelled_caught, "at", passed())


@on_any_loops
async def start_waits_until_the_child_says_it_has_started():
    async def server(task_status):
        await tick(2)
        task_status.started("port 80")
        log("serving at", passed())
        await tick(2)
        log("server ends at", passed())

    async with trio.open_nursery() as nursery:
        value = await nursery.start(run_server, server)
        await tick()
        log("started:", value)
    log("over at", passed())


async def run_server(server, task_status):
    await server(task_status)


@on_any_loops(
    since=(0, 23),
    doc="https://trio.readthedocs.io/en/stable/history.html#trio-0-23-0-2023-11-03",
    expected="""
        start raised ValueError: no port
        the nursery lives on
    """,
)
async def a_child_that_fails_before_it_has_started_fails_the_start():
    async def server(task_status):
        await tick()
        raise ValueError("no port")

    async with trio.open_nursery() as nursery:
        try:
            await nursery.start(run_server, server)
        except ValueError as error:
            log("start raised", error)
        await tick()
        log("the nursery lives on")


@on_any_loops
async def a_child_that_ends_without_started_fails_the_start():
    async def server(task_status):
        await tick()

    async with trio.open_nursery() as nursery:
        try:
            await nursery.start(run_server, server)
        except RuntimeError:
            log("start raised RuntimeError")


@on_any_loops
async def a_child_that_fails_after_started_fails_the_nursery():
    async def server(task_status):
        task_status.started()
        await tick()
        raise ValueError("later")

    async def run():
        async with trio.open_nursery() as nursery:
            await nursery.start(run_server, server)
            log("started")
            await trio.sleep_forever()

    log(await outcome(run()))


@on_any_loops
async def a_cancelled_start_cancels_the_child():
    async def server(task_status):
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            log("child cancelled at", passed())
            raise

    async with trio.open_nursery() as nursery:
        with trio.move_on_after(ticks(1)):
            await nursery.start(run_server, server)
        log("the nursery lives on")


@on_any_loops
async def started_twice_is_an_error():
    async def server(task_status):
        task_status.started()
        try:
            task_status.started()
        except RuntimeError:
            log("refused")

    async with trio.open_nursery() as nursery:
        await nursery.start(run_server, server)

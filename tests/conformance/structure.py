"""Scopes, deadlines and nurseries together (Trio): who catches what, who is reached by what."""

import math

import trio

from on_trio import passed, tick, ticks
from scenario import log, on_any_loops, outcome


async def cancelled_here():
    try:
        await tick()
    except trio.Cancelled:
        return True
    return False


async def sleep_and_tell(name):
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        log(name, "cancelled at", passed())
        raise


async def fail(text, count=1):
    await tick(count)
    raise ValueError(text)


@on_any_loops
async def two_deadlines_at_the_same_time_are_the_outers():
    when = trio.current_time() + ticks(2)
    with trio.move_on_at(when) as outer:
        with trio.move_on_at(when) as inner:
            await trio.sleep_forever()
        log("never")
    log("inner", inner.cancelled_caught, "outer", outer.cancelled_caught)


@on_any_loops
async def fail_after_inside_a_cancelled_scope_does_not_fail():
    with trio.CancelScope() as outer:
        outer.cancel()
        with trio.fail_after(ticks(5)):
            await trio.sleep_forever()
        log("never")
    log("caught", outer.cancelled_caught)


@on_any_loops
async def the_effective_deadline_is_the_nearest():
    def effective():
        deadline = trio.current_effective_deadline()
        return "never" if deadline == math.inf else round(deadline)

    start = round(trio.current_time())
    log(effective())
    with trio.move_on_after(ticks(5)):
        log(effective() - start)
        with trio.move_on_after(ticks(9)):
            log(effective() - start)
        with trio.move_on_after(ticks(3)):
            log(effective() - start)
        with trio.move_on_after(ticks(9)) as shielded:
            shielded.shield = True
            log(effective() - start)
        log(effective() - start)
    log(effective())


@on_any_loops
async def the_effective_deadline_of_what_is_cancelled_has_passed():
    with trio.CancelScope() as scope:
        scope.cancel()
        log("-infinity", trio.current_effective_deadline() == -math.inf)


@on_any_loops
async def a_nursery_may_have_a_deadline():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleep_and_tell, "child")
        nursery.cancel_scope.deadline = trio.current_time() + ticks(2)
    log("over at", passed())


@on_any_loops
async def a_shielded_nursery_keeps_an_outer_cancel_out():
    async def work():
        await tick(2)
        log("worked at", passed())

    with trio.move_on_after(ticks(1)) as outer:
        async with trio.open_nursery() as nursery:
            nursery.cancel_scope.shield = True
            nursery.start_soon(work)
        await tick()
        log("never")
    log("caught", outer.cancelled_caught, "at", passed())


@on_any_loops
async def children_inherit_the_deadline_of_the_nursery_not_of_who_starts_them():
    async def child():
        log("cancelled", await cancelled_here())

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            scope.cancel()
            nursery.start_soon(child)


@on_any_loops
async def a_child_may_have_a_scope_of_its_own():
    async def limited(count):
        with trio.move_on_after(ticks(count)) as scope:
            await tick(3)
        log("limit", count, "caught", scope.cancelled_caught)

    async with trio.open_nursery() as nursery:
        for count in (1, 5):
            nursery.start_soon(limited, count)


@on_any_loops
async def only_failures_come_out_of_a_cancelled_nursery():
    async def run():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleep_and_tell, "sibling")
            nursery.start_soon(fail, "bad")
            await tick(2)
            log("never")

    log(await outcome(run()))


@on_any_loops
async def a_failure_passes_an_inner_cancelled_scope():
    async def run():
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(fail, "bad")
                scope.cancel()
                await trio.sleep_forever()
            log("inner caught", scope.cancelled_caught)

    log(await outcome(run()))


@on_any_loops
async def an_inner_nurserys_cancel_does_not_reach_the_outer():
    async with trio.open_nursery() as outer:
        outer.start_soon(finishes, 4)
        async with trio.open_nursery() as inner:
            inner.start_soon(sleep_and_tell, "inner child")
            await tick()
            inner.cancel_scope.cancel()
        log("inner is over at", passed())


async def finishes(count):
    await tick(count)
    log("finished at", passed())


@on_any_loops
async def an_outer_nurserys_cancel_reaches_the_inner():
    async with trio.open_nursery() as outer:
        async with trio.open_nursery() as inner:
            inner.start_soon(sleep_and_tell, "inner child")
            await tick()
            outer.cancel_scope.cancel()
        log("never")
    log("over at", passed())


@on_any_loops
async def a_child_that_has_started_is_out_of_the_starters_scope():
    async def server(task_status):
        task_status.started()
        await tick(3)
        log("server ends at", passed())

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            await nursery.start(run_server, server)
            scope.cancel()
        log("starter goes on")


async def run_server(server, task_status):
    await server(task_status)


@on_any_loops
async def a_start_in_a_cancelled_scope_does_not_start():
    async def server(task_status):
        await tick()
        log("never")
        task_status.started()

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as scope:
            scope.cancel()
            await nursery.start(run_server, server)
        log("caught", scope.cancelled_caught)


@on_any_loops
async def a_nursery_counts_its_children():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick, 1)
        nursery.start_soon(tick, 3)
        log(len(nursery.child_tasks))
        await tick(2)
        log(len(nursery.child_tasks))


@on_any_loops
async def a_nursery_that_is_being_cancelled_still_takes_children():
    nurseries = []

    async def late():
        try:
            await trio.sleep_forever()
        finally:
            nurseries[0].start_soon(sleep_and_tell, "late child")
            log("accepted while it is being cancelled")

    async with trio.open_nursery() as nursery:
        nurseries.append(nursery)
        nursery.start_soon(late)
        await tick()
        nursery.cancel_scope.cancel()


@on_any_loops
async def results_are_gathered_by_hand():
    results = {}

    async def job(i):
        await tick(3 - i)
        results[i] = i * i

    async with trio.open_nursery() as nursery:
        for i in range(3):
            nursery.start_soon(job, i)
    log([results[i] for i in range(3)])


@on_any_loops
async def the_first_result_cancels_the_rest():
    winners = []

    async def race(nursery, name, count):
        await tick(count)
        winners.append(name)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for name, count in (("slow", 9), ("quick", 2), ("middle", 5)):
            nursery.start_soon(race, nursery, name, count)
    log(winners, "at", passed())

"""Deadlines of cancel scopes (Trio): move_on_after, fail_after, and moving them."""

import trio

from on_trio import passed, tick, ticks
from scenario import log, on_any_loops, outcome


@on_any_loops
async def move_on_after_ends_a_body_that_takes_too_long():
    with trio.move_on_after(ticks(2)) as scope:
        await tick(100)
        log("never")
    log("caught", scope.cancelled_caught, "at", passed())


@on_any_loops
async def move_on_after_leaves_a_quick_body_alone():
    with trio.move_on_after(ticks(5)) as scope:
        await tick(1)
        log("body ends")
    await tick(10)
    log("called", scope.cancel_called, "caught", scope.cancelled_caught)


@on_any_loops
async def move_on_at_names_a_point_in_time():
    with trio.move_on_at(trio.current_time() + ticks(3)) as scope:
        await tick(100)
    log("caught", scope.cancelled_caught, "at", passed())


@on_any_loops
async def move_on_after_zero_is_over_at_the_first_suspension():
    with trio.move_on_after(0) as scope:
        log("begins")
        await tick(100)
        log("never")
    log("caught", scope.cancelled_caught, "at", passed())


@on_any_loops
async def fail_after_raises_when_time_is_up():
    async def run():
        with trio.fail_after(ticks(2)):
            await tick(100)

    log(await outcome(run()), "at", passed())


@on_any_loops
async def fail_after_leaves_a_quick_body_alone():
    async def run():
        with trio.fail_after(ticks(5)):
            await tick(1)
            return "value"

    log(await outcome(run()))


@on_any_loops
async def fail_after_lets_other_exceptions_through():
    async def run():
        with trio.fail_after(ticks(5)):
            raise ValueError("own")

    log(await outcome(run()))


@on_any_loops
async def fail_after_that_is_cancelled_by_an_outer_scope_does_not_fail():
    with trio.move_on_after(ticks(1)) as outer:
        with trio.fail_after(ticks(5)):
            await tick(100)
        log("never")
    log("caught", outer.cancelled_caught)


@on_any_loops
async def the_nearest_deadline_ends_its_own_scope():
    with trio.move_on_after(ticks(5)) as outer:
        with trio.move_on_after(ticks(2)) as inner:
            await tick(100)
        log("inner caught", inner.cancelled_caught, "at", passed())
        await tick(1)
        log("outer goes on")
    log("outer caught", outer.cancelled_caught)


@on_any_loops
async def an_outer_deadline_ends_both():
    with trio.move_on_after(ticks(2)) as outer:
        with trio.move_on_after(ticks(5)) as inner:
            await tick(100)
        log("never")
    log("inner caught", inner.cancelled_caught, "outer caught", outer.cancelled_caught,
        "at", passed())


@on_any_loops
async def a_deadline_can_be_put_off():
    with trio.move_on_after(ticks(2)) as scope:
        scope.deadline += ticks(3)
        await tick(4)
        log("not yet at", passed())
        await tick(100)
    log("caught", scope.cancelled_caught, "at", passed())


@on_any_loops
async def a_deadline_can_be_brought_forward():
    with trio.CancelScope() as scope:
        scope.deadline = trio.current_time() + ticks(1)
        await tick(100)
    log("caught", scope.cancelled_caught, "at", passed())


@on_any_loops
async def a_deadline_can_be_set_by_another_task():
    scopes = []

    async def sleeper():
        with trio.CancelScope() as scope:
            scopes.append(scope)
            await tick(100)
        log("caught", scope.cancelled_caught, "at", passed())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleeper)
        await tick()
        scopes[0].deadline = trio.current_time() + ticks(2)


@on_any_loops
async def a_deadline_in_the_past_cancels():
    with trio.CancelScope(deadline=trio.current_time() - ticks(1)) as scope:
        await tick()
        log("never")
    log("caught", scope.cancelled_caught)


@on_any_loops
async def a_passed_deadline_cannot_be_taken_back():
    with trio.move_on_after(ticks(1)) as scope:
        try:
            await tick(100)
        finally:
            scope.deadline = trio.current_time() + ticks(50)
            log("called", scope.cancel_called)
    log("caught", scope.cancelled_caught, "at", passed())


@on_any_loops
async def a_deadline_outlives_a_swallowed_cancel():
    with trio.move_on_after(ticks(1)) as scope:
        for _ in range(3):
            try:
                await tick(100)
            except trio.Cancelled:
                log("raised at", passed())
    log("caught", scope.cancelled_caught)


@on_any_loops
async def sleep_until_sleeps_to_a_point_in_time():
    when = trio.current_time() + ticks(3)
    await tick(1)
    await trio.sleep_until(when)
    log("at", passed())
    await trio.sleep_until(when)
    log("at", passed())


@on_any_loops
async def sleep_forever_ends_with_its_scope():
    with trio.move_on_after(ticks(4)):
        await trio.sleep_forever()
    log("at", passed())


@on_any_loops
async def retries_each_with_a_limit():
    async def flaky(attempt):
        await tick(10 if attempt < 2 else 1)
        return f"answer of attempt {attempt}"

    for attempt in range(5):
        with trio.move_on_after(ticks(2)) as scope:
            log(await flaky(attempt))
        if not scope.cancelled_caught:
            break
        log("attempt", attempt, "gave up at", passed())


@on_any_loops(
    departs="timeout and wait_for inside a scope: Trio has neither. A scope's cancel of a body in "
            "timeout() stays the scope's.",
    expected="""
        scope caught True at t1
    """,
)
async def a_scope_around_a_timeout_ends_it_as_a_scope():
    pass

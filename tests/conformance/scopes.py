"""Cancel scopes (Trio): level-triggered, nested, shielded."""

import trio

from on_trio import passed, tick, ticks
from scenario import log, on_any_loops, outcome


async def cancelled_here():
    """Whether a suspension here raises."""
    try:
        await tick()
    except trio.Cancelled:
        return True
    return False


@on_any_loops
async def a_scope_that_is_not_cancelled_changes_nothing():
    with trio.CancelScope() as scope:
        await tick()
        log("body ends")
    log("called", scope.cancel_called, "caught", scope.cancelled_caught)


@on_any_loops
async def a_cancelled_scope_ends_its_body():
    with trio.CancelScope() as scope:
        scope.cancel()
        log("called", scope.cancel_called)
        await tick(100)
        log("never")
    log("caught", scope.cancelled_caught)
    log("goes on:", await cancelled_here())


@on_any_loops
async def every_suspension_of_a_cancelled_scope_raises():
    with trio.CancelScope() as scope:
        scope.cancel()
        for _ in range(3):
            log(await cancelled_here())
        await tick()
        log("never")
    log("caught", scope.cancelled_caught)


@on_any_loops
async def a_body_that_ends_by_itself_was_not_caught():
    with trio.CancelScope() as scope:
        scope.cancel()
        log(await cancelled_here())
        log("the end of the body")
    log("called", scope.cancel_called, "caught", scope.cancelled_caught)


@on_any_loops
async def cancelling_twice_is_cancelling_once():
    with trio.CancelScope() as scope:
        scope.cancel()
        scope.cancel()
        await tick()
    log("caught", scope.cancelled_caught)


@on_any_loops
async def other_exceptions_pass_a_cancelled_scope():
    async def run():
        with trio.CancelScope() as scope:
            scope.cancel()
            raise ValueError("own")

    log(await outcome(run()))


@on_any_loops
async def clean_up_in_a_cancelled_scope_cannot_wait():
    with trio.CancelScope() as scope:
        try:
            scope.cancel()
            await tick(100)
        finally:
            log("clean-up begins; cancelled", await cancelled_here())
    log("caught", scope.cancelled_caught, "at", passed())


@on_any_loops
async def clean_up_behind_a_shield_can_wait():
    with trio.CancelScope() as scope:
        try:
            scope.cancel()
            await tick(100)
        finally:
            with trio.CancelScope(shield=True):
                await tick(2)
                log("cleaned up at", passed())
    log("caught", scope.cancelled_caught)


@on_any_loops
async def the_inner_of_two_scopes_is_cancelled_alone():
    with trio.CancelScope() as outer:
        with trio.CancelScope() as inner:
            inner.cancel()
            await tick(100)
        log("inner caught", inner.cancelled_caught)
        log("cancelled", await cancelled_here())
    log("outer caught", outer.cancelled_caught)


@on_any_loops
async def the_outer_of_two_scopes_ends_both():
    with trio.CancelScope() as outer:
        with trio.CancelScope() as inner:
            outer.cancel()
            await tick(100)
        log("never")
    log("inner caught", inner.cancelled_caught, "outer caught", outer.cancelled_caught)


@on_any_loops
async def if_both_are_cancelled_the_outer_catches():
    with trio.CancelScope() as outer:
        with trio.CancelScope() as inner:
            inner.cancel()
            outer.cancel()
            await tick(100)
        log("never")
    log("inner caught", inner.cancelled_caught, "outer caught", outer.cancelled_caught)


@on_any_loops
async def if_the_inner_was_cancelled_first_it_catches_and_then_the_outer():
    with trio.CancelScope() as outer:
        with trio.CancelScope() as inner:
            inner.cancel()
            try:
                await tick(100)
            finally:
                outer.cancel()
        log("inner is left")
        await tick(100)
        log("never")
    log("inner caught", inner.cancelled_caught, "outer caught", outer.cancelled_caught)


@on_any_loops
async def a_shield_keeps_an_outer_cancel_out():
    with trio.CancelScope() as outer:
        outer.cancel()
        with trio.CancelScope(shield=True):
            log("behind the shield:", await cancelled_here())
        log("outside:", await cancelled_here())
    log("caught", outer.cancelled_caught)


@on_any_loops
async def a_shielded_scope_can_be_cancelled_itself():
    with trio.CancelScope(shield=True) as scope:
        scope.cancel()
        await tick(100)
    log("caught", scope.cancelled_caught)


@on_any_loops
async def a_shield_can_be_raised_and_dropped():
    with trio.CancelScope() as outer:
        outer.cancel()
        with trio.CancelScope() as scope:
            log(await cancelled_here())
            scope.shield = True
            log(await cancelled_here())
            scope.shield = False
            log(await cancelled_here())
    log("caught", outer.cancelled_caught)


@on_any_loops
async def dropping_a_shield_wakes_who_sleeps_behind_it():
    async def drop(scope):
        await tick(2)
        scope.shield = False

    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as outer:
            outer.cancel()
            with trio.CancelScope(shield=True) as scope:
                nursery.start_soon(drop, scope)
                await tick(100)
        log("woken at", passed(), "caught", outer.cancelled_caught)


@on_any_loops
async def a_cancel_from_another_task_wakes_the_sleeper():
    scopes = []

    async def sleeper():
        with trio.CancelScope() as scope:
            scopes.append(scope)
            await trio.sleep_forever()
        log("woken at", passed(), "caught", scope.cancelled_caught)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sleeper)
        await tick(2)
        scopes[0].cancel()


@on_any_loops
async def a_scope_reaches_the_children_of_a_group_inside_it():
    async def child(name):
        try:
            await trio.sleep_forever()
        finally:
            log(name, "still cancelled:", await cancelled_here())

    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child, "child")
            nursery.start_soon(child, "child")
            await tick()
            scope.cancel()
    log("caught", scope.cancelled_caught)


@on_any_loops
async def a_scope_in_one_task_does_not_touch_its_siblings():
    async def sibling():
        log("sibling:", await cancelled_here())

    async def cancels():
        with trio.CancelScope() as scope:
            scope.cancel()
            await tick(100)
        log("cancelled itself")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(cancels)
        await tick()
        nursery.start_soon(sibling)


@on_any_loops
async def a_checkpoint_in_a_cancelled_scope_raises():
    with trio.CancelScope() as scope:
        await trio.lowlevel.checkpoint()
        log("passed")
        scope.cancel()
        await trio.lowlevel.checkpoint()
        log("never")
    log("caught", scope.cancelled_caught)


@on_any_loops
async def what_does_not_suspend_is_not_cancelled():
    async def quick():
        return "quick"

    with trio.CancelScope() as scope:
        scope.cancel()
        log(await quick())
    log("caught", scope.cancelled_caught)


@on_any_loops
async def a_shielded_body_lives_through_its_deadline_of_outside():
    with trio.move_on_after(ticks(1)) as outer:
        with trio.CancelScope(shield=True):
            await tick(3)
            log("worked until", passed())
        await tick(100)
        log("never")
    log("caught", outer.cancelled_caught, "at", passed())

"""Semaphore, BoundedSemaphore, Barrier: permits, fairness, rounds, breaking."""

import asyncio

from on_asyncio import passed, tick, ticks
from scenario import attempt, log, on_any_loops, on_one_loop, outcome


@on_one_loop
async def a_semaphore_of_three_over_five_jobs():
    semaphore = asyncio.Semaphore(3)

    async def job(count):
        async with semaphore:
            await tick(count)

    await asyncio.gather(*[job(count) for count in (1, 2, 3, 2, 3)])
    log("over at", passed())


@on_any_loops
async def never_more_inside_than_permits():
    semaphore, inside, most = asyncio.Semaphore(4), 0, 0

    async def job():
        nonlocal inside, most
        async with semaphore:
            inside += 1
            most = max(most, inside)
            await tick(1)
            inside -= 1

    await asyncio.gather(*[job() for _ in range(16)])
    log("most", most, "over at", passed())


@on_one_loop
async def a_permit_goes_to_who_came_first():
    semaphore = asyncio.Semaphore(0)

    async def waiter(name):
        await semaphore.acquire()
        log(name)

    tasks = [asyncio.create_task(waiter(name)) for name in ("a", "b", "c")]
    await tick()
    for _ in range(3):
        semaphore.release()
        await tick()
    await asyncio.gather(*tasks)


@on_one_loop
async def a_permit_does_not_go_past_who_waits():
    semaphore = asyncio.Semaphore(1)

    async def waiter():
        async with semaphore:
            log("waiter has it")

    await semaphore.acquire()
    task = asyncio.create_task(waiter())
    await tick()
    semaphore.release()
    async with semaphore:
        log("newcomer has it")
    await task


@on_any_loops
async def locked_says_whether_one_would_have_to_wait():
    semaphore = asyncio.Semaphore(2)
    log("locked", semaphore.locked())
    await semaphore.acquire()
    await semaphore.acquire()
    log("locked", semaphore.locked())
    semaphore.release()
    log("locked", semaphore.locked())


@on_any_loops
async def a_cancelled_waiter_takes_no_permit():
    semaphore = asyncio.Semaphore(0)

    async def waiter():
        await semaphore.acquire()
        return "has it"

    cancelled = asyncio.create_task(waiter())
    await tick()
    other = asyncio.create_task(waiter())
    await tick()
    cancelled.cancel()
    log(await outcome(cancelled))
    semaphore.release()
    log(await outcome(other), "locked", semaphore.locked())


@on_any_loops
async def a_semaphore_may_grow():
    semaphore = asyncio.Semaphore(1)
    for _ in range(3):
        semaphore.release()
    for _ in range(4):
        await semaphore.acquire()
    log("locked", semaphore.locked())


@on_any_loops
async def a_bounded_semaphore_does_not_grow():
    semaphore = asyncio.BoundedSemaphore(1)
    log(attempt(semaphore.release))
    await semaphore.acquire()
    log(attempt(semaphore.release))
    log(attempt(semaphore.release))


@on_any_loops
async def a_semaphore_needs_at_least_zero():
    log(attempt(lambda: asyncio.Semaphore(-1) and None))
    log("locked", asyncio.Semaphore(0).locked())


@on_any_loops
async def waiting_for_a_permit_may_have_a_limit():
    semaphore = asyncio.Semaphore(0)
    try:
        await asyncio.wait_for(semaphore.acquire(), ticks(2))
    except asyncio.TimeoutError:
        log("none at", passed())
    semaphore.release()
    await asyncio.wait_for(semaphore.acquire(), ticks(2))
    log("locked", semaphore.locked())


@on_any_loops
async def a_barrier_lets_all_through_together():
    barrier = asyncio.Barrier(3)

    async def party(count):
        await tick(count)
        await barrier.wait()
        log("through at", passed())

    await asyncio.gather(*[party(count) for count in (1, 2, 3)])


@on_any_loops
async def each_party_gets_another_number():
    barrier = asyncio.Barrier(4)

    async def party():
        return await barrier.wait()

    log(sorted(await asyncio.gather(*[party() for _ in range(4)])))


@on_any_loops
async def a_barrier_can_be_used_round_after_round():
    barrier = asyncio.Barrier(2)

    async def party(count):
        for _ in range(3):
            await tick(count)
            await barrier.wait()

    await asyncio.gather(party(1), party(2))
    log("over at", passed())


@on_any_loops
async def a_barrier_counts_who_waits():
    barrier = asyncio.Barrier(3)
    log("parties", barrier.parties, "waiting", barrier.n_waiting, "broken", barrier.broken)

    async def party():
        await barrier.wait()

    tasks = [asyncio.create_task(party()) for _ in range(2)]
    await tick()
    log("waiting", barrier.n_waiting)
    await barrier.wait()
    await asyncio.gather(*tasks)
    log("waiting", barrier.n_waiting)


@on_any_loops
async def a_cancelled_party_leaves_its_place():
    barrier = asyncio.Barrier(2)

    async def party():
        await barrier.wait()
        return "through"

    cancelled = asyncio.create_task(party())
    await tick()
    cancelled.cancel()
    log(await outcome(cancelled), "waiting", barrier.n_waiting)
    log(await asyncio.gather(party(), party()))


@on_any_loops
async def an_aborted_barrier_is_broken_for_all():
    barrier = asyncio.Barrier(3)

    async def party():
        await barrier.wait()

    tasks = [asyncio.create_task(party()) for _ in range(2)]
    await tick()
    await barrier.abort()
    for task in tasks:
        log(await outcome(task))
    log("broken", barrier.broken)
    log(await outcome(barrier.wait()))


@on_any_loops
async def a_reset_barrier_is_new_for_those_who_come():
    barrier = asyncio.Barrier(2)

    async def party():
        await barrier.wait()
        return "through"

    waiting = asyncio.create_task(party())
    await tick()
    await barrier.reset()
    log(await outcome(waiting))
    await tick()
    log("broken", barrier.broken)
    log(await asyncio.gather(party(), party()))


@on_any_loops
async def a_barrier_needs_a_party():
    log(attempt(lambda: asyncio.Barrier(0) and None))

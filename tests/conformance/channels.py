"""Memory channels and capacity limiters (Trio)."""

import trio

from on_trio import passed, tick, ticks
from scenario import attempt, log, on_any_loops, outcome


@on_any_loops
async def what_is_sent_is_received_in_order():
    sender, receiver = trio.open_memory_channel(3)
    for i in range(3):
        await sender.send(i)
    log([await receiver.receive() for _ in range(3)])


@on_any_loops(any_order=True)
async def without_a_buffer_the_sender_waits_for_the_receiver():
    sender, receiver = trio.open_memory_channel(0)

    async def send():
        await sender.send("it")
        log("sent at", passed())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await tick(3)
        log("received", await receiver.receive())
        await tick()


@on_any_loops
async def iteration_ends_when_the_sender_is_closed():
    sender, receiver = trio.open_memory_channel(0)

    async def produce():
        async with sender:
            for i in range(3):
                await sender.send(i)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(produce)
        async for value in receiver:
            log("got", value)
    log("end")


@on_any_loops
async def what_is_buffered_can_be_received_after_the_close():
    sender, receiver = trio.open_memory_channel(5)
    await sender.send(1)
    await sender.send(2)
    sender.close()
    log(await receiver.receive(), await receiver.receive())
    log(await outcome(receiver.receive()))
    log("nowait:", attempt(receiver.receive_nowait))


@on_any_loops
async def sending_to_nobody_is_broken():
    sender, receiver = trio.open_memory_channel(5)
    receiver.close()
    log(await outcome(sender.send(1)))
    log("nowait:", attempt(sender.send_nowait, 1))


@on_any_loops
async def a_closed_handle_cannot_be_used():
    sender, receiver = trio.open_memory_channel(5)
    sender.close()
    sender.close()
    log(await outcome(sender.send(1)))
    log("clone:", attempt(sender.clone))
    receiver.close()
    log(await outcome(receiver.receive()))


@on_any_loops
async def closing_a_receiver_wakes_a_waiting_sender():
    sender, receiver = trio.open_memory_channel(0)

    async def send():
        log(await outcome(sender.send("lost")), "at", passed())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        await tick(2)
        receiver.close()


@on_any_loops
async def closing_a_sender_wakes_a_waiting_receiver():
    sender, receiver = trio.open_memory_channel(0)

    async def receive():
        log(await outcome(receiver.receive()), "at", passed())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await tick(2)
        sender.close()


@on_any_loops
async def closing_the_handle_that_waits_says_so():
    _sender, receiver = trio.open_memory_channel(0)

    async def receive():
        log(await outcome(receiver.receive()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await tick()
        receiver.close()


@on_any_loops
async def a_channel_is_open_until_its_last_clone_is_closed():
    sender, receiver = trio.open_memory_channel(5)
    other = sender.clone()
    sender.close()
    await other.send("by the clone")
    log(await receiver.receive())
    other.close()
    log(await outcome(receiver.receive()))


@on_any_loops
async def many_producers_and_one_consumer():
    sender, receiver = trio.open_memory_channel(0)

    async def produce(own, base):
        async with own:
            for i in range(5):
                await own.send(base + i)

    got = []
    async with trio.open_nursery() as nursery:
        async with sender:
            for base in (0, 100, 200):
                nursery.start_soon(produce, sender.clone(), base)
        async for value in receiver:
            got.append(value)
    log(sorted(got))


@on_any_loops
async def every_value_goes_to_one_consumer():
    sender, receiver = trio.open_memory_channel(2)
    got = []

    async def consume(own):
        async with own:
            async for value in own:
                got.append(value)
                await tick()

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(consume, receiver.clone())
        receiver.close()
        async with sender:
            for i in range(10):
                await sender.send(i)
    log(sorted(got))


@on_any_loops
async def nowait_says_so_when_it_would_have_to_wait():
    sender, receiver = trio.open_memory_channel(1)
    log("receive:", attempt(receiver.receive_nowait))
    log("send:", attempt(sender.send_nowait, 1))
    log("send:", attempt(sender.send_nowait, 2))
    log("receive:", attempt(receiver.receive_nowait))


@on_any_loops
async def a_cancelled_receive_takes_nothing():
    sender, receiver = trio.open_memory_channel(0)
    with trio.move_on_after(ticks(1)):
        await receiver.receive()
    log("would block:", attempt(sender.send_nowait, 1))


@on_any_loops
async def a_cancelled_send_sends_nothing():
    sender, receiver = trio.open_memory_channel(0)
    with trio.move_on_after(ticks(1)):
        await sender.send("never")
    log("would block:", attempt(receiver.receive_nowait))


@on_any_loops
async def a_buffer_has_no_negative_size():
    log(attempt(lambda: trio.open_memory_channel(-1) and None))


@on_any_loops
async def a_limiter_lets_so_many_in():
    limiter, inside, most = trio.CapacityLimiter(2), 0, 0

    async def job():
        nonlocal inside, most
        async with limiter:
            inside += 1
            most = max(most, inside)
            await tick()
            inside -= 1

    async with trio.open_nursery() as nursery:
        for _ in range(6):
            nursery.start_soon(job)
    log("most", most, "over at", passed(), "borrowed", limiter.borrowed_tokens)


@on_any_loops
async def a_token_is_borrowed_once_by_a_task():
    limiter = trio.CapacityLimiter(2)
    async with limiter:
        log("borrowed", limiter.borrowed_tokens, "available", limiter.available_tokens)
        log(await outcome(again(limiter)))
    log("release:", attempt(limiter.release))


async def again(limiter):
    try:
        await limiter.acquire()
    except RuntimeError:
        return "refused"


@on_any_loops
async def a_limiter_can_be_widened():
    limiter = trio.CapacityLimiter(1)

    async def job():
        async with limiter:
            await tick(2)
        log("done at", passed())

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(job)
        await tick(1)
        limiter.total_tokens = 3
    log("total", limiter.total_tokens)


@on_any_loops
async def a_limiter_without_tokens_blocks_nowait():
    limiter = trio.CapacityLimiter(1)
    log(attempt(limiter.acquire_nowait))
    log(attempt(limiter.acquire_on_behalf_of_nowait, "somebody"))
    limiter.release()
    log(attempt(limiter.acquire_on_behalf_of_nowait, "somebody"))
    log("borrowed", limiter.borrowed_tokens)

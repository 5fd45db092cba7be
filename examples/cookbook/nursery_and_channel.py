import trio


async def producer(sender):
    async with sender:
        for i in range(3):
            await trio.sleep(1)
            await sender.send(f"message {i}")


async def consumer(receiver):
    async for message in receiver:
        print("received", message)
    print("the channel is closed")


async def main():
    async with trio.open_nursery() as nursery:
        sender, receiver = trio.open_memory_channel(0)
        nursery.start_soon(producer, sender)
        nursery.start_soon(consumer, receiver)

    with trio.move_on_after(2) as scope:
        await trio.sleep_forever()
    print("moved on:", "yes" if scope.cancelled_caught else "no")


trio.run(main)

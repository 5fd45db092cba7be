import asyncio


async def producer(queue):
    for i in range(5):
        await asyncio.sleep(0.1)
        await queue.put(f"item {i}")
    await queue.put(None)  # the end


async def consumer(queue):
    while True:
        item = await queue.get()
        if item is None:
            break
        print("consumed", item)
    print("nothing more")


async def main():
    queue = asyncio.Queue(maxsize=2)
    await asyncio.gather(producer(queue), consumer(queue))


asyncio.run(main())

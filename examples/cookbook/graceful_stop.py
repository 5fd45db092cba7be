import asyncio


async def worker(name, closing):
    try:
        while True:
            await asyncio.sleep(1)
    finally:
        await asyncio.sleep(closing)
        print(name, "has closed its files")


async def main():
    workers = [
        asyncio.create_task(worker("first", 2)),
        asyncio.create_task(worker("second", 1)),
    ]
    await asyncio.sleep(3.5)
    print("stopping")
    for task in workers:
        task.cancel()
    results = await asyncio.gather(*workers, return_exceptions=True)
    print("cancelled:", sum(isinstance(result, asyncio.CancelledError) for result in results))


asyncio.run(main())

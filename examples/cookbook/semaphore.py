import asyncio


async def job(semaphore, seconds):
    async with semaphore:
        await asyncio.sleep(seconds)


async def main():
    loop = asyncio.get_running_loop()
    start = loop.time()
    semaphore = asyncio.Semaphore(3)
    await asyncio.gather(*[job(semaphore, seconds) for seconds in (1, 2, 3, 2, 3)])
    print(f"11 s of work, three at a time: {loop.time() - start:.0f} s")


asyncio.run(main())

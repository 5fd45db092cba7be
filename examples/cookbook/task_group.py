import asyncio


async def download(name, seconds):
    try:
        await asyncio.sleep(seconds)
        print(name, "downloaded")
    except asyncio.CancelledError:
        print(name, "given up")
        raise


async def broken(seconds):
    await asyncio.sleep(seconds)
    raise ValueError("the disk is full")


async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(download("one", 1))
        group.create_task(download("two", 2))
    print("all is well")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(download("three", 1))
            group.create_task(broken(2))
            group.create_task(download("four", 3))
    except* ValueError as failures:
        for failure in failures.exceptions:
            print("failed:", failure)


asyncio.run(main())

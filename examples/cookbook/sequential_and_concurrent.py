import asyncio


async def fetch(name, seconds):
    await asyncio.sleep(seconds)
    return f"{name} is here"


async def main():
    loop = asyncio.get_running_loop()

    start = loop.time()
    print(await fetch("tea", 1))
    print(await fetch("toast", 2))
    print(f"one after the other: {loop.time() - start:.0f} s")

    start = loop.time()
    tea = asyncio.create_task(fetch("tea", 1))
    toast = asyncio.create_task(fetch("toast", 2))
    print(await tea)
    print(await toast)
    print(f"side by side: {loop.time() - start:.0f} s")


asyncio.run(main())

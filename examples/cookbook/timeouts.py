import asyncio


async def answer(seconds):
    await asyncio.sleep(seconds)
    return "an answer"


async def main():
    print(await asyncio.wait_for(answer(1), timeout=2))
    try:
        await asyncio.wait_for(answer(3), timeout=2)
    except asyncio.TimeoutError:
        print("no answer in time")

    try:
        async with asyncio.timeout(2):
            await answer(1)
            print("the first step took 1 s")
            await answer(1.5)
            print("never")
    except TimeoutError:
        print("both steps together took too long")

    async with asyncio.timeout(1) as limit:
        limit.reschedule(asyncio.get_running_loop().time() + 5)
        print("with more time:", await answer(3))


asyncio.run(main())

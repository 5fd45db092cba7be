import asyncio


async def square(i):
    await asyncio.sleep(0.01)
    return i * i


async def main():
    squares = await asyncio.gather(*[square(i) for i in range(1000)])
    print("results:", len(squares))
    print("the first:", squares[0], squares[1], squares[2])
    print("the last:", squares[-1])
    print("sum:", sum(squares))


asyncio.run(main())

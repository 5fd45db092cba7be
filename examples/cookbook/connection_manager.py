import asyncio


class Connection:
    async def __aenter__(self):
        await asyncio.sleep(1)
        print("connected")
        return self

    async def __aexit__(self, kind, error, traceback):
        await asyncio.sleep(1)
        print("disconnected")

    async def query(self, seconds):
        await asyncio.sleep(seconds)
        return "rows"


async def main():
    async with Connection() as connection:
        print(await connection.query(1))

    try:
        async with asyncio.timeout(3):
            async with Connection() as connection:
                await connection.query(10)
    except TimeoutError:
        print("too slow, and disconnected all the same")


asyncio.run(main())

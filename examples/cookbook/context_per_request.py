import asyncio
from contextvars import ContextVar

request_id = ContextVar("request_id", default="-")


async def query_database():
    await asyncio.sleep(0.1)
    print(f"[{request_id.get()}] querying")


async def handle(number):
    request_id.set(f"request {number}")
    await asyncio.sleep(number)
    await query_database()
    print(f"[{request_id.get()}] done")


async def main():
    await asyncio.gather(*[handle(number) for number in (3, 1, 2)])
    print(f"[{request_id.get()}] outside")


asyncio.run(main())

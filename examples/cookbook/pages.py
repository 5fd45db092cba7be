import asyncio


async def fetch_page(number):
    await asyncio.sleep(1)
    print(f"(page {number} fetched)")
    return [f"entry {number}.{i}" for i in range(3)] if number < 4 else []


async def entries():
    number = 0
    while page := await fetch_page(number):
        for entry in page:
            yield entry
        number += 1


async def main():
    async for entry in entries():
        print(entry)
        if entry == "entry 1.1":
            break  # page 2 is never fetched
    print("count:", len([entry async for entry in entries()]))


asyncio.run(main())

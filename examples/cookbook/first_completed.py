import asyncio


async def ask(mirror, seconds):
    try:
        await asyncio.sleep(seconds)
        return f"{mirror} answers"
    except asyncio.CancelledError:
        print(f"{mirror} is no longer asked")
        raise


async def main():
    tasks = []
    for mirror, seconds in (("Lisbon", 3), ("Oslo", 1), ("Quito", 5)):
        tasks.append(asyncio.create_task(ask(mirror, seconds)))
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        print(task.result())
    for task in tasks:  # in this order; `pending` is a set
        task.cancel()
    await asyncio.wait(pending)


asyncio.run(main())

import asyncio


async def save(document):
    await asyncio.sleep(1)
    print("saved", document)


async def request():
    try:
        await asyncio.shield(save("the document"))
        print("never: the client has gone")
    except asyncio.CancelledError:
        print("the request is cancelled, the saving is not")
        raise


async def main():
    task = asyncio.create_task(request())
    await asyncio.sleep(0.5)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("request cancelled")
    await asyncio.sleep(1)


asyncio.run(main())

import asyncio


async def worker(queue, done):
    while True:
        delay = await queue.get()
        await asyncio.sleep(delay)
        done.append(delay)
        queue.task_done()


async def main():
    loop = asyncio.get_running_loop()
    start = loop.time()
    queue, done = asyncio.Queue(), []
    for delay in (0.3, 0.2, 0.2, 0.1, 0.4, 0.1):
        queue.put_nowait(delay)

    workers = [asyncio.create_task(worker(queue, done)) for _ in range(3)]
    await queue.join()
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)

    print("jobs done:", len(done))
    print(f"work: {sum(done):.1f} s, with three workers: {loop.time() - start:.1f} s")


asyncio.run(main())

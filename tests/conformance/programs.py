"""run and Runner: what they give, raise, cancel and close."""

import asyncio
import signal

from on_asyncio import tick
from scenario import kind, log, on_any_loops


@on_any_loops
def run_gives_the_result():
    async def main():
        await tick()
        return 42

    log(asyncio.run(main()))


@on_any_loops
def run_raises_the_exception():
    async def main():
        await tick()
        raise ValueError("from main")

    try:
        asyncio.run(main())
    except ValueError as error:
        log(error)


@on_any_loops
def tasks_that_are_left_are_cancelled_and_awaited():
    async def left():
        try:
            await tick(100)
        except asyncio.CancelledError:
            log("cancelled")
            raise

    async def main():
        asyncio.create_task(left())
        await tick()
        log("main ends")

    asyncio.run(main())
    log("run is over")


@on_any_loops
def tasks_that_are_left_may_clean_up():
    async def left():
        try:
            await tick(100)
        finally:
            await tick(3)
            log("cleaned up")

    async def main():
        asyncio.create_task(left())
        await tick()

    asyncio.run(main())
    log("run is over")


@on_any_loops
def a_task_that_is_left_may_swallow_its_cancel():
    async def left():
        try:
            await tick(100)
        except asyncio.CancelledError:
            log("swallowed")
        await tick(2)
        log("ends in its own time")

    async def main():
        asyncio.create_task(left())
        await tick()

    asyncio.run(main())


@on_any_loops
def a_failure_while_what_is_left_is_cancelled_goes_to_the_handler():
    async def left():
        try:
            await tick(100)
        finally:
            raise ValueError("while cancelled")

    async def main():
        asyncio.get_running_loop().set_exception_handler(
            lambda _, context: log("handler:", context["exception"]))
        asyncio.create_task(left())
        await tick()

    asyncio.run(main())
    log("run is over")


@on_any_loops
def what_is_left_is_cancelled_when_main_fails_too():
    async def left():
        try:
            await tick(100)
        finally:
            log("cleaned up")

    async def main():
        asyncio.create_task(left())
        await tick()
        raise ValueError("main")

    try:
        asyncio.run(main())
    except ValueError as error:
        log(error)


@on_any_loops
def a_main_that_is_cancelled_raises_cancelled_error():
    async def main():
        asyncio.current_task().cancel("myself")
        await tick()

    try:
        asyncio.run(main())
    except asyncio.CancelledError:
        log("CancelledError")


@on_any_loops
def runs_follow_one_another():
    async def main(i):
        await tick()
        return i

    log([asyncio.run(main(i)) for i in range(3)])


@on_any_loops
def run_inside_a_running_loop_is_refused():
    async def inner():
        log("never")

    async def main():
        made = inner()
        try:
            asyncio.run(made)
        except RuntimeError as error:
            log(kind(error))
        made.close()

    asyncio.run(main())


@on_any_loops
def a_runner_runs_several_times():
    async def main(i):
        await tick()
        return i

    with asyncio.Runner() as runner:
        log(runner.run(main(1)), runner.run(main(2)))


@on_any_loops()
def a_task_outlives_a_run_of_its_runner():
    async def background():
        await tick(3)
        log("background ends")

    async def first():
        asyncio.create_task(background())
        log("first ends")

    async def second():
        await tick(5)
        log("second ends")

    with asyncio.Runner() as runner:
        runner.run(first())
        runner.run(second())


@on_any_loops
def a_closed_runner_refuses():
    async def main():
        log("runs")

    runner = asyncio.Runner()
    runner.run(main())
    runner.close()
    runner.close()
    made = main()
    try:
        runner.run(made)
    except RuntimeError:
        log("refused")
    made.close()


@on_any_loops
def outside_there_is_no_running_loop():
    async def work():
        log("never")

    made = work()
    try:
        asyncio.create_task(made)
    except RuntimeError:
        log("create_task refused")
    made.close()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        log("get_running_loop refused")


@on_any_loops
def an_interrupt_cancels_main():
    async def main():
        try:
            signal.raise_signal(signal.SIGINT)
            await tick(100)
        except asyncio.CancelledError:
            log("main is cancelled")
            raise

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        log("KeyboardInterrupt")


@on_any_loops
def a_main_that_answers_an_interrupt_gives_its_result():
    async def main():
        try:
            signal.raise_signal(signal.SIGINT)
            await tick(100)
        except asyncio.CancelledError:
            log("main is cancelled")
        return "last words"

    log(asyncio.run(main()))


KEPT = []


@on_any_loops
def a_generator_that_was_left_is_closed_before_run_returns():
    async def items():
        try:
            yield 1
            yield 2
        finally:
            log("closed")

    async def main():
        generator = items()
        log(await anext(generator))
        log("main ends")
        KEPT.append(generator)

    asyncio.run(main())
    log("run is over")
    KEPT.clear()


@on_any_loops
def a_loop_that_was_closed_takes_nothing():
    async def main():
        return asyncio.get_running_loop()

    with asyncio.Runner() as runner:
        loop = runner.run(main())
    try:
        loop.call_soon_threadsafe(log, "never")
    except RuntimeError:
        log("refused")

"""Asynchronous generators: pages, closing, exceptions and cancels in the body."""

import asyncio
import contextlib
import contextvars

from on_asyncio import passed, tick, ticks
from scenario import kind, log, on_any_loops, outcome


@on_any_loops
async def items_come_one_by_one():
    async def count(n):
        for i in range(n):
            await tick()
            yield i

    async for i in count(3):
        log("got", i, "at", passed())
    log("end")


@on_any_loops
async def pages_are_fetched_as_they_are_needed():
    async def fetch_page(number):
        log("fetching page", number)
        await tick()
        return [number * 10 + i for i in range(3)], number < 2

    async def items():
        number, more = 0, True
        while more:
            page, more = await fetch_page(number)
            for item in page:
                yield item
            number += 1

    async for item in items():
        log(item)


@on_any_loops
async def a_generator_does_nothing_until_it_is_asked():
    async def numbers():
        log("begins")
        yield 1

    generator = numbers()
    log("made")
    log("got", await anext(generator))
    await generator.aclose()


@on_any_loops
async def an_exhausted_generator_stays_so():
    async def one():
        yield 1

    generator = one()
    log(await anext(generator))
    log(await anext(generator, None), await anext(generator, None))


@on_any_loops
async def an_exception_of_the_body_comes_out_of_the_loop():
    async def fails():
        yield 1
        await tick()
        raise ValueError("in the body")

    generator = fails()
    try:
        async for i in generator:
            log("got", i)
    except ValueError as error:
        log("caught", error)
    log("ended:", await anext(generator, None))


@on_any_loops
async def aclose_ends_the_body_at_its_yield():
    async def numbers():
        try:
            yield 1
            log("never")
        except GeneratorExit:
            log("GeneratorExit")
            raise
        finally:
            log("finally")

    generator = numbers()
    await anext(generator)
    await generator.aclose()
    log("closed")
    await generator.aclose()
    log(await anext(generator, None))


@on_any_loops
async def aclose_waits_for_the_clean_up():
    async def numbers():
        try:
            yield 1
        finally:
            await tick(3)
            log("cleaned up")

    generator = numbers()
    await anext(generator)
    await generator.aclose()
    log("closed at", passed())


@on_any_loops
async def aclose_before_the_beginning_runs_nothing():
    async def numbers():
        log("never")
        yield 1

    generator = numbers()
    await generator.aclose()
    log(await anext(generator, None))


@on_any_loops
async def an_exception_in_the_clean_up_comes_out_of_aclose():
    async def numbers():
        try:
            yield 1
        finally:
            raise ValueError("clean-up")

    generator = numbers()
    await anext(generator)
    log(await outcome(generator.aclose()))


@on_any_loops
async def a_generator_that_yields_while_it_is_closed_is_an_error():
    async def stubborn():
        try:
            yield 1
        except GeneratorExit:
            pass
        yield 2

    generator = stubborn()
    await anext(generator)
    try:
        await generator.aclose()
    except RuntimeError as error:
        log(kind(error))


@on_any_loops
async def a_loop_that_is_left_closes_its_generator():
    async def numbers():
        try:
            for i in range(100):
                yield i
        finally:
            log("closed")

    async with contextlib.aclosing(numbers()) as generator:
        async for i in generator:
            log(i)
            if i == 1:
                break
    log("after the loop")


@on_any_loops
async def a_cancel_is_raised_in_the_body_where_it_waits():
    async def slow():
        try:
            yield 1
            await tick(100)
        except asyncio.CancelledError:
            log("cancelled in the body")
            raise

    async def consume():
        async for i in slow():
            log("got", i)

    task = asyncio.create_task(consume())
    await tick()
    task.cancel()
    log(await outcome(task))


@on_any_loops
async def a_limit_on_each_item():
    async def slow():
        for i in (1, 5):
            await tick(i)
            yield i

    generator = slow()
    try:
        while True:
            log("got", await asyncio.wait_for(anext(generator), ticks(3)))
    except asyncio.TimeoutError:
        log("time is up at", passed())
    log("ended:", await anext(generator, None))


@on_any_loops
async def generators_of_generators():
    async def numbers(n):
        for i in range(n):
            yield i

    async def evens():
        async for i in numbers(7):
            if i % 2 == 0:
                yield i

    async def squares():
        async for i in evens():
            yield i * i

    log([i async for i in squares()])


@on_any_loops
async def a_generator_that_is_in_use_refuses_a_second_consumer():
    async def slow():
        await tick(3)
        yield 1

    generator = slow()

    async def first():
        log("first got", await anext(generator))

    task = asyncio.create_task(first())
    await tick()
    try:
        await anext(generator)
    except RuntimeError as error:
        log("second:", kind(error))
    await task
    await generator.aclose()


@on_any_loops
async def two_tasks_may_take_turns():
    async def numbers():
        for i in range(4):
            await tick()
            yield i

    generator = numbers()

    async def take():
        return await anext(generator)

    log([await asyncio.create_task(take()) for _ in range(4)])
    await generator.aclose()


variable = contextvars.ContextVar("variable")


@on_any_loops
async def the_body_sees_the_context_of_who_asks():
    variable.set("loop's")

    async def items():
        while True:
            yield variable.get()

    generator = items()
    log(await anext(generator))
    variable.set("changed")
    log(await anext(generator))

    async def other():
        variable.set("other's")
        log(await anext(generator))

    await asyncio.create_task(other())
    log(await anext(generator))
    await generator.aclose()


@on_any_loops
async def what_the_body_sets_the_one_who_asks_sees():
    async def items():
        variable.set("set in the body")
        yield 1

    async for _ in items():
        log(variable.get())

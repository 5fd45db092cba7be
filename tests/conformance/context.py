"""Context variables: who sees what was set where."""

import asyncio
import contextvars

from on_asyncio import tick
from scenario import attempt, log, on_any_loops, on_one_loop

request = contextvars.ContextVar("request", default="none")
unset = contextvars.ContextVar("unset")


@on_any_loops
async def a_variable_has_a_default():
    log(request.get(), request.name)
    log("without one:", attempt(unset.get))
    log("with another:", unset.get("fallback"))


@on_any_loops
async def a_task_copies_its_makers_context_when_it_is_made():
    async def child():
        log("child sees", request.get())

    request.set("one")
    task = asyncio.create_task(child())
    request.set("two")
    await task
    log("maker sees", request.get())


@on_any_loops
async def what_a_task_sets_its_maker_does_not_see():
    async def child():
        request.set("child's")
        await tick()
        log("child sees", request.get())

    request.set("maker's")
    await asyncio.create_task(child())
    log("maker sees", request.get())


@on_any_loops
async def a_coroutine_awaited_in_place_shares_the_context():
    async def inner():
        request.set("inner's")

    request.set("outer's")
    await inner()
    log(request.get())


@on_any_loops
async def reset_brings_the_old_value_back():
    first = request.set("one")
    second = request.set("two")
    request.reset(second)
    log(request.get())
    request.reset(first)
    log(request.get())


@on_any_loops
async def a_token_knows_the_value_before():
    request.set("one")
    token = request.set("two")
    log("old value", token.old_value)
    request.reset(token)
    log(request.get())


@on_any_loops
async def a_token_is_used_once_and_for_its_own_variable():
    token = request.set("one")
    request.reset(token)
    log("again:", attempt(request.reset, token))
    other = request.set("two")
    log("of another:", attempt(unset.reset, other))


@on_any_loops
async def a_token_of_another_context_is_refused():
    token = request.set("one")

    async def child():
        log(attempt(request.reset, token))

    await asyncio.create_task(child())
    log(request.get())


@on_any_loops
async def each_request_has_its_own_value():
    async def log_line():
        await asyncio.sleep(0)
        return request.get()

    async def handle(number):
        request.set(f"request {number}")
        await tick(3 - number)
        return await log_line()

    log(await asyncio.gather(*[handle(number) for number in range(3)]))
    log("outside", request.get())


@on_any_loops
async def a_context_can_be_copied_and_run_in():
    request.set("main's")
    copy = contextvars.copy_context()

    def change():
        request.set("copy's")
        return request.get()

    log("inside", copy.run(change), "outside", request.get())
    log("again inside", copy.run(request.get))


@on_any_loops
async def callbacks_run_in_the_context_of_their_making():
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def callback(text):
        log(text, request.get())

    request.set("when scheduled")
    loop.call_soon(callback, "soon:")
    loop.call_later(1, callback, "later:")
    loop.call_later(2, done.set_result, None)
    request.set("afterwards")
    await done


@on_any_loops
async def done_callbacks_run_in_the_context_of_their_adding():
    task = asyncio.create_task(tick())
    request.set("when added")
    task.add_done_callback(lambda _: log(request.get()))
    request.set("afterwards")
    await tick(2)


@on_any_loops
async def a_task_may_be_given_a_context():
    context = contextvars.copy_context()
    context.run(request.set, "given")

    async def child():
        log("child sees", request.get())
        request.set("set by the child")

    await asyncio.create_task(child(), context=context)
    log("the context has", context.run(request.get), "the maker", request.get())


@on_any_loops
async def the_context_lasts_over_many_suspensions():
    async def child(number):
        request.set(number)
        for _ in range(20):
            await asyncio.sleep(0)
            if request.get() != number:
                return False
        return True

    log(all(await asyncio.gather(*[child(str(number)) for number in range(50)])))


@on_any_loops
async def gathered_coroutines_are_tasks_with_contexts_of_their_own():
    async def child(text):
        request.set(text)

    request.set("parent's")
    await asyncio.gather(child("one"), child("two"))
    log(request.get())


@on_one_loop
async def a_context_cannot_be_entered_twice():
    context = contextvars.copy_context()
    log(attempt(context.run, context.run, lambda: None))


@on_any_loops
async def a_timeout_shares_the_context():
    async with asyncio.timeout(5):
        request.set("in the body")
    log(request.get())

import asyncio


class Sensor:
    """An API with callbacks. It reports a reading, and then once more that it has."""

    def read(self, on_reading, on_error):
        loop = asyncio.get_running_loop()
        loop.call_later(1, on_reading, 21)
        loop.call_later(2, on_reading, 22)
        loop.call_later(3, on_error, OSError("unplugged"))


async def read(sensor):
    future = asyncio.get_running_loop().create_future()

    def on_reading(value):
        if not future.done():  # a second completion would raise InvalidStateError
            future.set_result(value)

    def on_error(error):
        if not future.done():
            future.set_exception(error)
        else:
            print("too late:", error)

    sensor.read(on_reading, on_error)
    return await future


async def main():
    print("reading:", await read(Sensor()))
    await asyncio.sleep(5)


asyncio.run(main())

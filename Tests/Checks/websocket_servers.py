# SPDX-License-Identifier: Apache-2.0
"""Echo servers and clients of others, and ordinary conversations with them: the independent implementations."""

import asyncio
import threading


class Server:
    """An echo server of somebody else, in a thread of its own."""

    def __init__(self, kind):
        self.port, ready = None, threading.Event()
        self.loop = asyncio.new_event_loop()

        async def run():
            self.port = await globals()["serve_" + kind]()
            ready.set()

        def main():
            asyncio.set_event_loop(self.loop)
            self.loop.create_task(run())
            self.loop.run_forever()

        threading.Thread(target=main, daemon=True).start()
        assert ready.wait(10), kind


async def serve_websockets():
    import websockets.asyncio.server as server

    async def echo(connection):
        async for data in connection:
            await connection.send(data)

    running = await server.serve(echo, "127.0.0.1", 0, max_size=32 << 20, compression=None, ping_interval=None,
                                 select_subprotocol=lambda _, offered: "chat.v2" if "chat.v2" in offered else None)
    return running.sockets[0].getsockname()[1]


async def serve_aiohttp():
    from aiohttp import WSMsgType, web

    async def echo(request):
        ws = web.WebSocketResponse(max_msg_size=32 << 20, protocols=("chat.v2",), compress=False)
        await ws.prepare(request)
        async for data in ws:
            if data.type == WSMsgType.TEXT:
                await ws.send_str(data.data)
            elif data.type == WSMsgType.BINARY:
                await ws.send_bytes(data.data)
        return ws

    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner.addresses[0][1]


async def serve_wsproto():
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import (AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage)
    from wsproto.utilities import RemoteProtocolError

    async def handle(reader, writer):
        ws = WSConnection(ConnectionType.SERVER)
        parts = []
        try:
            while True:
                data = await reader.read(1 << 16)
                try:
                    ws.receive_data(data or None)
                    events = list(ws.events())
                except RemoteProtocolError as problem:
                    writer.write(ws.send(problem.event_hint))
                    break
                for event in events:
                    if isinstance(event, Request):
                        chosen = "chat.v2" if "chat.v2" in event.subprotocols else None
                        writer.write(ws.send(AcceptConnection(subprotocol=chosen)))
                    elif isinstance(event, Ping):
                        writer.write(ws.send(event.response()))
                    elif isinstance(event, (TextMessage, BytesMessage)):
                        parts.append(event.data)
                        if event.message_finished:
                            whole = type(event)(data=parts[0][:0].join(parts))
                            parts = []
                            writer.write(ws.send(whole))
                    elif isinstance(event, CloseConnection):
                        # wsproto reports a violation as a close of its own making.
                        try:
                            writer.write(ws.send(event.response()))
                        except Exception:
                            writer.write(ws.send(event))
                        await writer.drain()
                        return
                await writer.drain()
                if not data:
                    return
        except (ConnectionError, Exception):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(handle, "127.0.0.1", 0)
    return running.sockets[0].getsockname()[1]


async def client_websockets(url):
    import websockets.asyncio.client as client
    async with client.connect(url, max_size=32 << 20, compression=None, subprotocols=["echo"]) as ws:
        assert ws.subprotocol == "echo", ws.subprotocol

        async def check(data):
            await ws.send(data)
            assert await ws.recv() == data, "echo"
        await conversation(check)
        await asyncio.wait_for(await ws.ping(b"abc"), 10)
    assert ws.close_code == 1000, ws.close_code


async def client_aiohttp(url):
    import aiohttp
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, max_msg_size=32 << 20, protocols=("echo",)) as ws:
            assert ws.protocol == "echo", ws.protocol

            async def check(data):
                await (ws.send_str(data) if isinstance(data, str) else ws.send_bytes(data))
                assert (await ws.receive()).data == data, "echo"
            await conversation(check)
            await ws.ping(b"abc")
            await ws.close(code=1000)
        assert ws.close_code == 1000, ws.close_code


async def client_wsproto(url):
    from wsproto import ConnectionType, WSConnection
    from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Pong, Request, TextMessage
    port = int(url.rsplit(":", 1)[1].strip("/"))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ws = WSConnection(ConnectionType.CLIENT)
    writer.write(ws.send(Request(host="127.0.0.1", target="/", subprotocols=["echo"])))
    queue = []

    async def event():
        while not queue:
            data = await asyncio.wait_for(reader.read(1 << 16), 10)
            ws.receive_data(data or None)
            queue.extend(ws.events())
        return queue.pop(0)

    accepted = await event()
    assert isinstance(accepted, AcceptConnection) and accepted.subprotocol == "echo", accepted

    async def check(data):
        writer.write(ws.send(TextMessage(data) if isinstance(data, str) else BytesMessage(data)))
        got = data[:0]
        while True:
            piece = await event()
            got += piece.data
            if piece.message_finished:
                break
        assert got == data, "echo"
    await conversation(check)
    writer.write(ws.send(Ping(b"abc")))
    assert (await event()) == Pong(b"abc"), "pong"
    writer.write(ws.send(CloseConnection(code=1000)))
    assert (await event()).code == 1000, "close"
    writer.close()


async def conversation(check):
    for size in (0, 1, 125, 126, 127, 65535, 65536, 1 << 20):
        await check("*" * size)
        await check(b"\xfe" * size)
    await check("Hello-µ@ßöäüàá-UTF-8!! κόσμε 🌙")

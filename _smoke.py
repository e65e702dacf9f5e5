import asyncio, tempfile, pathlib, asyncpg
from tests.services.postgres import embedded_server
from gated.db.migrate import upgrade
from gated.embedded.account import open_to, unprivileged_account
d=pathlib.Path(tempfile.mkdtemp(prefix="gated-smoke-")); open_to(d, unprivileged_account())
with embedded_server(d/"e") as srv:
    async def go():
        c=await asyncpg.connect(srv.dsn); await c.execute('CREATE DATABASE x'); await c.close()
        await upgrade(srv.dsn_for('x'))
        print('schema ok')
    asyncio.run(go())

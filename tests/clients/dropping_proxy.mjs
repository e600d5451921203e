// A network that breaks when it is told to.
import { connect, createServer } from 'node:net';

export async function droppingProxy(host, port) {
  const open = new Set();
  const server = createServer((client) => {
    const service = connect(port, host);
    for (const [one, other] of [[client, service], [service, client]]) {
      open.add(one);
      one.pipe(other);
      one.on('error', () => one.destroy());
      one.on('close', () => { open.delete(one); other.destroy(); });
    }
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { port: server.address().port, drop: () => { for (const socket of open) socket.destroy(); } };
}

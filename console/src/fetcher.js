import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';

const HTTP = new URL('/v1/graphql', location.href).href;
const SOCKET = HTTP.replace(/^http/, 'ws');

/** One fetcher per caller: a websocket's session is fixed when it opens, so another caller needs another socket. */
export function connect(caller) {
  const socket = createClient({ url: SOCKET, lazy: true, connectionParams: { headers: caller.headers } });
  const fetcher = createGraphiQLFetcher({ url: HTTP, headers: caller.headers, wsClient: socket });
  return { fetcher, close: () => socket.dispose() };
}

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';

import { filled, noticeIds } from './ids.js';
import { noticeMedia } from './media.js';

const HTTP = new URL('/v1/graphql', location.href).href;
const SOCKET = HTTP.replace(/^http/, 'ws');

/** One fetcher per caller: a websocket's session is fixed when it opens, so another caller needs another socket. */
export function connect(caller) {
  const socket = createClient({ url: SOCKET, lazy: true, connectionParams: { headers: caller.headers } });
  const ask = createGraphiQLFetcher({ url: HTTP, headers: caller.headers, wsClient: socket });
  return { fetcher: (request, options) => noticed(ask(filled(request), options)), close: () => socket.dispose() };
}

/** What the fetcher gives, a promise, or answers one after the other, with an ear for ids and media. */
async function noticed(given) {
  const answer = await given;
  if (answer === null || typeof answer !== 'object' || !(Symbol.asyncIterator in answer)) return noticeMedia(noticeIds(answer));
  return (async function* () {
    for await (const each of answer) yield noticeMedia(noticeIds(each));
  })();
}

// graphql-ws by itself: subprotocol graphql-transport-ws.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { EVENTS, Followed, STATUS } from '../followed.mjs';

export function socketOf(followed) {
  return createClient({
    url: followed.world.ws,
    webSocketImpl: WebSocket,
    connectionParams: () => ({ headers: followed.headers() }),
    retryAttempts: Infinity,
    retryWait: () => new Promise((again) => setTimeout(again, 100)),
    shouldRetry: () => true,
    on: { closed: ({ code }) => followed.closes.push(code) },
  });
}

export function follow(world) {
  const followed = new Followed(world);
  const client = socketOf(followed);
  const sink = (next) => ({ next, error: followed.failed, complete: () => {} });
  client.subscribe({ query: EVENTS, variables: followed.variables }, sink(followed.event));
  client.subscribe({ query: STATUS, variables: { call: world.call } }, sink(followed.status));
  return followed;
}

// subscriptions-transport-ws: the older subprotocol graphql-ws.
import transport from 'subscriptions-transport-ws';
import WebSocket from 'ws';
import { EVENTS, Followed, STATUS } from '../followed.mjs';

export function follow(world) {
  const followed = new Followed(world);
  const connectionParams = () => ({ headers: followed.headers() });
  const client = new transport.SubscriptionClient(world.ws, { reconnect: true, connectionParams }, WebSocket);
  client.onConnected(noteCloses);
  client.onReconnected(noteCloses);
  function noteCloses() {
    client.client.addEventListener('close', ({ code }) => followed.closes.push(code));
  }
  client.request({ query: EVENTS, variables: followed.variables }).subscribe({ next: followed.event, error: followed.failed });
  client.request({ query: STATUS, variables: { call: world.call } }).subscribe({ next: followed.status, error: followed.failed });
  return followed;
}

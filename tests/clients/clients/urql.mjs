// urql over graphql-ws.
import { Client, gql, subscriptionExchange } from '@urql/core';
import { EVENTS, Followed, STATUS } from '../followed.mjs';
import { socketOf } from './graphql-ws.mjs';

export function follow(world) {
  const followed = new Followed(world);
  const socket = socketOf(followed);
  const forwardSubscription = ({ query, variables }) => ({
    // An event's cursor is read when the connection is made anew.
    subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables: 'after' in variables ? followed.variables : variables }, sink) }),
  });
  const client = new Client({ url: world.url, exchanges: [subscriptionExchange({ forwardSubscription })] });
  const taken = (take) => (result) => (result.error ? followed.failed(result.error) : take(result));
  client.subscription(gql(EVENTS), { call: world.call, after: 0 }).subscribe(taken(followed.event));
  client.subscription(gql(STATUS), { call: world.call }).subscribe(taken(followed.status));
  return followed;
}

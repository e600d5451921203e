// Apollo over graphql-ws. It copies its variables: what the replay after a break repeats is known by its seq.
import { ApolloClient, InMemoryCache, gql } from '@apollo/client/core/index.js';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions/index.js';
import { EVENTS, Followed, STATUS } from '../followed.mjs';
import { socketOf } from './graphql-ws.mjs';

export function follow(world) {
  const followed = new Followed(world);
  const client = new ApolloClient({ link: new GraphQLWsLink(socketOf(followed)), cache: new InMemoryCache() });
  const taken = (take) => ({ next: (result) => (result.error ? followed.failed(result.error) : take(result)), error: followed.failed });
  const fresh = (result) => { if (result.data.callEvents.seq > followed.last) followed.event(result); };
  client.subscribe({ query: gql(EVENTS), variables: { call: world.call, after: 0 } }).subscribe(taken(fresh));
  client.subscribe({ query: gql(STATUS), variables: { call: world.call } }).subscribe(taken(followed.status));
  return followed;
}

// urql with fetchSubscriptions: a stream that ends, or breaks, is over, and the app begins anew.
import { Client, fetchExchange, gql } from '@urql/core';
import { onEnd, pipe, subscribe } from 'wonka';
import { EVENTS, Followed, STATUS } from '../followed.mjs';

export function follow(world) {
  const followed = new Followed(world);
  const client = new Client({
    url: world.url,
    exchanges: [fetchExchange],
    fetchSubscriptions: true,
    fetchOptions: () => ({ headers: followed.headers() }),
  });
  const begin = (query, variables, take) => pipe(
    client.subscription(gql(query), variables()),
    onEnd(() => setTimeout(begin, 100, query, variables, take)),
    subscribe((result) => {
      const code = result.error?.graphQLErrors[0]?.extensions.code;
      if (code === 'invalid-jwt') followed.closes.push(code);
      else if (code) followed.failures.push(code);
      else if (result.data) take(result);
    }),
  );
  begin(EVENTS, () => ({ ...followed.variables }), followed.event);
  begin(STATUS, () => ({ call: world.call }), followed.status);
  return followed;
}

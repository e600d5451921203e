// graphql-sse, distinct connections mode: it comes back by itself after a break; when a token expires the app begins anew.
import { createClient } from 'graphql-sse';
import { EVENTS, Followed, STATUS } from '../followed.mjs';

export function follow(world) {
  const followed = new Followed(world);
  const retry = () => new Promise((again) => setTimeout(again, 100));
  const client = createClient({ url: world.url, headers: followed.headers, retryAttempts: Infinity, retry });
  const begin = (query, variables, take) => client.subscribe({ query, variables: variables() }, {
    next: (result) => (expired(result) ? followed.closes.push('invalid-jwt') : take(result)),
    error: followed.failed,
    complete: () => begin(query, variables, take),
  });
  begin(EVENTS, () => followed.variables, followed.event);
  begin(STATUS, () => ({ call: world.call }), followed.status);
  return followed;
}

export const expired = ({ errors }) => errors?.[0].extensions.code === 'invalid-jwt';

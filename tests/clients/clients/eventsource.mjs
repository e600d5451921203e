// A browser's EventSource: the same URL again and again, and how far it is in Last-Event-ID.
import { EventSource } from 'eventsource';
import { EVENTS, Followed, STATUS } from '../followed.mjs';
import { expired } from './graphql-sse.mjs';

export function follow(world) {
  const followed = new Followed(world);
  const authorised = (url, init) => fetch(url, { ...init, headers: { ...init.headers, ...followed.headers() } });
  const open = (query, variables, take) => {
    const asked = new URLSearchParams({ query, variables: JSON.stringify(variables) });
    new EventSource(`${world.url}?${asked}`, { fetch: authorised }).addEventListener('next', ({ data }) => {
      const result = JSON.parse(data);
      if (expired(result)) followed.closes.push('invalid-jwt');
      else take(result);
    });
  };
  open(EVENTS, { call: world.call, after: 0 }, followed.event);
  open(STATUS, { call: world.call }, followed.status);
  return followed;
}

import { createClient } from 'graphql-ws';

const FORBIDDEN = 4403;
// A new token that is refused as well is not the token's fault.
const RENEWALS = 2;

/** A socket that opens with the first subscription and comes back when it is lost, with a new token where the old one was refused. */
export function openSocket(caller, refused) {
  let refusals = 0;
  const socket = createClient({
    url: new URL('/v1/graphql', location.href).href.replace(/^http/, 'ws'),
    lazy: true,
    retryAttempts: Infinity,
    retryWait: (retries) => new Promise((done) => setTimeout(done, Math.min(250 * 2 ** retries, 4000) * (0.5 + Math.random()))),
    shouldRetry: ({ code }) => code !== undefined && (code !== FORBIDDEN || (caller.canRenew && refusals <= RENEWALS)),
    connectionParams: async () => {
      if (refusals > 0) await caller.renew();
      return { headers: caller.headers() };
    },
  });
  socket.on('connected', () => (refusals = 0));
  socket.on('closed', ({ code, reason }) => {
    if (code !== FORBIDDEN) return;
    refusals += 1;
    if (!caller.canRenew || refusals > RENEWALS) refused(reason);
  });
  return socket;
}

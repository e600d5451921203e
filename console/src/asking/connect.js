import { Kind, parse } from 'graphql';

import { noticeMedia } from '../recordings/media.js';
import { filled, noticeIds } from './ids.js';
import { post } from './post.js';
import { openSocket } from './socket.js';

/** What GraphiQL is given in place of an answer that nobody waits for any more. */
const NOTHING = { async *[Symbol.asyncIterator]() {} };

/**
 * One connection per caller: a websocket's session is fixed when it opens. `told` hears of each request, `{carried}` or `{refused}`: the ids
 * that were passed on to it, the words with which its token was refused.
 */
export function connect(caller, feeds, told) {
  if (caller.asks) return { fetcher: async () => ({ errors: [{ message: caller.asks }] }), close() {} };
  const leaving = new AbortController();
  const socket = openSocket(caller, (refused) => told({ refused }));
  async function ask(asked, options) {
    const { request, kind } = understood(asked);
    const carried = filled(request);
    const whole = { ...request, variables: { ...request.variables, ...carried } };
    if (request.operationName !== 'IntrospectionQuery') told({ carried });
    if (kind === 'subscription') return feeds.begin({ request: whole, socket, caller: caller.label, noticed });
    const answer = await post(whole, { caller, headers: options?.headers, signal: leaving.signal });
    if (leaving.signal.aborted) return NOTHING;
    if (answer.errors?.[0]?.extensions?.code === 'invalid-jwt') told({ refused: answer.errors[0].message });
    return noticed(answer);
  }
  function close() {
    leaving.abort();
    socket.dispose();
  }
  return { fetcher: ask, close };
}

/** The request's kind, and the request with the name of an operation that its document has: GraphiQL reads a new document a moment late. */
function understood(request) {
  try {
    const operations = parse(request.query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const chosen = operations.find(({ name }) => name?.value === request.operationName) ?? operations[0];
    return { request: { ...request, operationName: chosen.name?.value }, kind: chosen.operation };
  } catch {
    return { request, kind: 'query' }; // what can't be read is the service's to refuse
  }
}

function noticed(answer) {
  return noticeMedia(noticeIds(answer));
}

const ADDRESS = '/v1/graphql';

/** The answer to a request over HTTP, and in words what became of it where there is none. A token that is over is renewed where that can be. */
export async function post(request, { caller, headers, signal }) {
  try {
    const answer = await once(request, { ...headers, ...caller.headers() }, signal);
    const over = answer.errors?.[0]?.extensions?.code === 'invalid-jwt';
    // Who is refused for the token has changed nothing, so even a mutation may be sent again.
    return over && (await caller.renew()) ? await once(request, { ...headers, ...caller.headers() }, signal) : answer;
  } catch (problem) {
    return inWords(problem);
  }
}

async function once(request, headers, signal) {
  const body = JSON.stringify(request);
  const response = await fetch(ADDRESS, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body, signal });
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return inWords({ message: `The service answered ${response.status} ${response.statusText}, and not in JSON.` });
  }
}

function inWords({ name, message }) {
  // A browser says TypeError of a network that fails, and a stack of this page helps nobody.
  return { errors: [{ message: name === 'TypeError' ? 'The service does not answer. Does it still run?' : message }] };
}

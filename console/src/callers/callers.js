// Who asks. A caller is turned into request headers; tokens and secrets live in this page alone and are over when it is.

/**
 * `headers()` are those of a request, `renew()` gets a new token where `canRenew` and says whether there is one. Who still has to be told
 * something has `asks`, in words, and sends nothing.
 */
const NO_RENEWAL = { canRenew: false, renew: async () => false };

export const ANONYMOUS = { key: 'anonymous', label: 'anonymous', hint: 'no token: the unauthorized role', headers: () => ({}), ...NO_RENEWAL };

/** Somebody of whom nothing was typed yet. */
export const UNTOLD = {
  key: 'typed',
  label: 'token…',
  hint: 'a token or the admin secret of your own',
  asks: 'Give a token, or the admin secret, at the top. It is sent when you press Enter or “Use”.',
  headers: () => ({}),
  ...NO_RENEWAL,
};

/** The demo users that the service offers in dev mode; elsewhere there are none. */
export async function loadDemoUsers() {
  return (await offered()).map(demoUser);
}

/** A caller typed by hand: a token, or the admin secret acting as any role and user. */
export function typedCaller({ token, secret, role, userId }) {
  if (!token && !secret) return UNTOLD;
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (secret) headers['x-hasura-admin-secret'] = secret;
  if (role) headers['x-hasura-role'] = role;
  if (secret && userId) headers['x-hasura-user-id'] = userId;
  return { ...UNTOLD, asks: undefined, headers: () => headers };
}

function demoUser({ name, role, note, token }) {
  let current = token;
  return {
    key: name,
    label: name,
    hint: `${note} · role ${role}`,
    canRenew: true,
    headers: () => ({ authorization: `Bearer ${current}` }),
    async renew() {
      const found = (await offered()).find((user) => user.name === name);
      current = found?.token ?? current;
      return found !== undefined;
    },
  };
}

async function offered() {
  try {
    const response = await fetch('/console/demo-users.json', { headers: { accept: 'application/json' } });
    return response.ok ? (await response.json()).users : [];
  } catch {
    return []; // a service that does not answer says so at the next request
  }
}

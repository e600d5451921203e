// Who asks. A caller is turned into request headers; nothing of it is ever stored in the browser.

export const ANONYMOUS = { key: 'anonymous', label: 'anonymous', hint: 'no token: the unauthorized role', headers: {} };

/** The demo users that the service offers in dev mode; elsewhere there are none. */
export async function loadDemoUsers() {
  const response = await fetch('/console/demo-users.json', { headers: { accept: 'application/json' } });
  if (!response.ok) return [];
  const { users } = await response.json();
  return users.map(({ name, role, note, token }) => ({
    key: name,
    label: name,
    hint: `${note} · role ${role}`,
    headers: { authorization: `Bearer ${token}` },
  }));
}

/** A caller typed by hand: a token, or the admin secret acting as any role and user. */
export function typedCaller({ token, secret, role, userId }) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (secret) headers['x-hasura-admin-secret'] = secret;
  if (role) headers['x-hasura-role'] = role;
  if (secret && userId) headers['x-hasura-user-id'] = userId;
  return { key: 'typed', label: 'token…', hint: 'a token or the admin secret of your own', headers };
}

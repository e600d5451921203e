// The tabs a newcomer finds, one file each, with its variables beside it; each runs as it stands for a demo user, steps of the tour after those before.
const queries = import.meta.glob('./examples/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob('./examples/*.json', { query: '?raw', import: 'default', eager: true });

export const EXAMPLES = Object.keys(queries)
  .sort()
  .map((file) => ({ name: nameOf(queries[file]), query: queries[file], variables: variables[file.replace(/graphql$/, 'json')] }));

/** What a deployment's console begins with: there are no demo data to ask for. */
export const BEGINNING = [{ name: 'Me', query: '# Who asks, as the service understood the token.\nquery Me {\n  me { userId role allowedRoles expiresAt }\n}\n' }];

/** The example with this operation in front. */
export function example(name) {
  return EXAMPLES.find((each) => each.name === name);
}

function nameOf(query) {
  return /^(?:query|mutation|subscription) (\w+)/m.exec(query)[1];
}

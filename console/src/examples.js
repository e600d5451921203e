// The tabs a newcomer finds, one file each, with its variables beside it; each runs as it stands for a demo user.
const queries = import.meta.glob('./examples/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob('./examples/*.json', { query: '?raw', import: 'default', eager: true });

export const EXAMPLES = Object.keys(queries)
  .sort()
  .map((file) => ({ query: queries[file], variables: variables[file.replace(/graphql$/, 'json')] }));

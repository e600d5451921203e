// Examples of several operations pass ids on: what an operation needs and nobody typed is taken from the last answer that had it.
import { parse } from 'graphql';

const SOURCES = {
  callId: ['nchat_calls', 'nchat_calls_by_pk', 'call'],
  recordingId: ['nchat_call_recordings', 'nchat_call_recordings_by_pk', 'recordings', 'recording'],
};
const newest = {};

/** Passes an answer on, and remembers the first call and the first recording in it. */
export function noticeIds(answer) {
  const found = {};
  idsIn(answer?.data, found);
  Object.assign(newest, found);
  return answer;
}

/** The request with the ids that its operation declares and its variables lack. */
export function filled(request) {
  const missing = declaredIn(request).filter((name) => name in newest && request.variables?.[name] === undefined);
  if (missing.length === 0) return request;
  return { ...request, variables: { ...request.variables, ...Object.fromEntries(missing.map((name) => [name, newest[name]])) } };
}

function idsIn(value, found) {
  if (Array.isArray(value)) value.forEach((each) => idsIn(each, found));
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return;
  for (const [name, fields] of Object.entries(SOURCES)) {
    const rows = fields.flatMap((field) => value[field] ?? []);
    found[name] ??= value[name] ?? rows.find((row) => row?.id)?.id;
    if (found[name] === undefined) delete found[name];
  }
  Object.values(value).forEach((each) => idsIn(each, found));
}

function declaredIn({ query, operationName }) {
  try {
    const operations = parse(query).definitions.filter(({ kind }) => kind === 'OperationDefinition');
    const chosen = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
    return chosen.variableDefinitions.map(({ variable }) => variable.name.value);
  } catch {
    return []; // what can't be read is the service's to refuse
  }
}

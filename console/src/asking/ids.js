// Operations pass ids on: what one needs and nobody typed is taken from the last answer that had it.
import { Kind, parse } from 'graphql';

const SOURCES = {
  callId: ['nchat_calls', 'nchat_calls_by_pk', 'call'],
  recordingId: ['nchat_call_recordings', 'nchat_call_recordings_by_pk', 'recordings', 'recording'],
};
// An id opens nothing, so it may outlive a reload.
const KEPT = 'nchat:ids';
const newest = JSON.parse(sessionStorage.getItem(KEPT) ?? '{}');

/** Passes an answer on, and remembers the first call and the first recording in it. */
export function noticeIds(answer) {
  const found = {};
  idsIn(answer?.data, found);
  if (Object.entries(found).some(([name, id]) => newest[name] !== id)) {
    Object.assign(newest, found);
    sessionStorage.setItem(KEPT, JSON.stringify(newest));
  }
  return answer;
}

/** The ids that the request's operation declares and its variables lack, as far as an answer had them. */
export function filled(request) {
  const missing = declaredIn(request).filter((name) => name in newest && request.variables?.[name] === undefined);
  return Object.fromEntries(missing.map((name) => [name, newest[name]]));
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
    const operations = parse(query).definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
    const chosen = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
    return chosen.variableDefinitions.map(({ variable }) => variable.name.value);
  } catch {
    return []; // what can't be read is the service's to refuse
  }
}

// Where a feed is, read from its payloads, and the request that goes on from there.
import { Kind, parse, print, valueFromASTUntyped } from 'graphql';

/**
 * Reads the cursors of a request's payloads: each is `{text, arguments}`, or null where the document has none or does not select it. `arguments`
 * are pairs of a path into the root field's arguments and a value: `after` and `epoch` of a feed of events, the column of a `…_stream`.
 */
export function cursorsOf(request) {
  const field = rootOf(parsed(request), request);
  const key = field?.alias?.value ?? field?.name.value;
  return (payload) => {
    const told = payload.data?.[key];
    if (told === null || told === undefined) return null;
    return field.name.value.endsWith('_stream') ? ofStream(field, told, request.variables) : ofEvents(field, told);
  };
}

/** The request that goes on behind the cursor: what stands in the document or in its variables is put in place of what was there. */
export function resumed(request, cursor) {
  const document = parsed(request);
  const field = rootOf(document, request);
  const variables = structuredClone(request.variables ?? {});
  for (const [[name, ...path], value] of cursor.arguments) {
    const given = field.arguments.find((one) => one.name.value === name);
    const put = given ? replaced(given.value, path, value, variables) : literal(value);
    field.arguments = [...field.arguments.filter((one) => one !== given), { kind: Kind.ARGUMENT, name: { kind: Kind.NAME, value: name }, value: put }];
  }
  return { ...request, query: print(document), variables };
}

function ofEvents(field, event) {
  const seq = event[keyOf(field, 'seq')];
  if (seq === undefined) return null;
  const epoch = event[keyOf(field, 'epoch')];
  return { text: `seq ${seq}`, arguments: [[['after'], seq], ...(epoch ? [[['epoch'], epoch]] : [])] };
}

function ofStream(field, rows, variables) {
  const cursor = field.arguments.find(({ name }) => name.value === 'cursor');
  const [first] = [cursor && valueFromASTUntyped(cursor.value, variables ?? {})].flat();
  const [column] = Object.keys(first?.initial_value ?? {});
  const value = rows.at(-1)?.[keyOf(field, column)];
  return value === undefined ? null : { text: `${column} ${value}`, arguments: [[['cursor', 'initial_value', column], value]] };
}

/** The key under which an answer has a field that is selected below this one. */
function keyOf(field, name) {
  const selected = field.selectionSet?.selections.find((one) => one.name?.value === name);
  return selected?.alias?.value ?? name;
}

function parsed({ query }) {
  return parse(query, { noLocation: true });
}

function rootOf(document, { operationName }) {
  const operations = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const chosen = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
  return chosen.selectionSet.selections.find(({ kind }) => kind === Kind.FIELD);
}

function replaced(node, path, value, variables) {
  const [name, ...rest] = path;
  if (node.kind === Kind.VARIABLE) variables[node.name.value] = changed(variables[node.name.value], path, value);
  if (node.kind === Kind.LIST) return { ...node, values: node.values.map((each) => replaced(each, path, value, variables)) };
  if (node.kind !== Kind.OBJECT) return node.kind === Kind.VARIABLE ? node : literal(value);
  const fields = node.fields.map((each) => (each.name.value === name ? { ...each, value: replaced(each.value, rest, value, variables) } : each));
  return { ...node, fields };
}

function changed(given, [name, ...rest], value) {
  if (name === undefined) return value;
  if (Array.isArray(given)) return given.map((each) => changed(each, [name, ...rest], value));
  return { ...given, [name]: changed(given?.[name], rest, value) };
}

function literal(value) {
  if (typeof value === 'number') return { kind: Number.isInteger(value) ? Kind.INT : Kind.FLOAT, value: String(value) };
  return { kind: Kind.STRING, value: String(value) };
}

// What GraphiQL keeps in the browser: under names of our own, for other projects are served from the same address, and without headers, which may hold a secret.

/** A store of the form that GraphiQL wants; `name` keeps the tabs of a deployment apart from those of the demo. */
export function keptApart(name) {
  const ours = (key) => `${name}:${key}`;
  return {
    getItem: (key) => localStorage.getItem(ours(key)),
    setItem: (key, value) => {
      if (!key.toLowerCase().endsWith('headers')) localStorage.setItem(ours(key), withoutHeaders(value));
    },
    removeItem: (key) => localStorage.removeItem(ours(key)),
    clear: () => keys(name).forEach((key) => localStorage.removeItem(key)),
    get length() {
      return keys(name).length;
    },
  };
}

function keys(name) {
  return Object.keys(localStorage).filter((key) => key.startsWith(`${name}:`));
}

function withoutHeaders(value) {
  if (!value.startsWith('{')) return value;
  try {
    return JSON.stringify(JSON.parse(value, (key, each) => (key === 'headers' ? null : each)));
  } catch {
    return value; // a document, which begins with a brace as well
  }
}

// Who asks outlives a reload, by name: bob stays bob. A window of its own may begin as somebody: /console#bob.
const KEPT = 'nchat:caller';

/** The one of these callers who asked before, or is named in the address; else the first. */
export function chosenOf(callers) {
  const named = decodeURIComponent(location.hash.slice(1)) || sessionStorage.getItem(KEPT);
  return callers.find(({ key }) => key === named) ?? callers[0];
}

export function remember({ key, label }) {
  sessionStorage.setItem(KEPT, key);
  if (location.hash) history.replaceState(null, '', location.pathname);
  document.title = `${label} · nchat calls · GraphQL console`;
}

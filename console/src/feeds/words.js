/** How long after the one before, from milliseconds. */
export function elapsed(since) {
  if (since === null) return 'first';
  if (since < 1) return '+0 ms';
  if (since < 1000) return `+${Math.round(since)} ms`;
  if (since < 60_000) return `+${(since / 1000).toFixed(1)} s`;
  return `+${Math.floor(since / 60_000)} min ${Math.round((since % 60_000) / 1000)} s`;
}

/** What a payload says, in a line. */
export function summaryOf({ data, errors }) {
  if (errors) return errors[0].message;
  const [[name, told]] = Object.entries(data ?? { 'no data': null });
  if (Array.isArray(told)) return `${name} · ${told.length === 1 ? '1 row' : `${told.length} rows`}`;
  if (told?.kind) return [told.kind, told.actor?.displayName ?? told.caller?.displayName].filter(Boolean).join(' · ');
  return `${name} ${JSON.stringify(told)}`.slice(0, 120);
}

// Answers that hold a `playlist_url` can be played: the console offers what the last ones held.
let listener = () => {};

/** `told` hears of the playlists of each answer that has some, `[{title, url}]`. */
export function listenForMedia(told) {
  listener = told;
  return () => {
    listener = () => {};
  };
}

/** Passes an answer on, and tells of what it holds to play. */
export function noticeMedia(answer) {
  const found = playlistsIn(answer?.data);
  if (found.length > 0) listener(found);
  return answer;
}

function playlistsIn(value) {
  if (Array.isArray(value)) return value.flatMap(playlistsIn);
  if (value === null || typeof value !== 'object') return [];
  const own = typeof value.playlist_url === 'string' ? [{ title: titleOf(value), url: value.playlist_url }] : [];
  return [...own, ...Object.values(value).flatMap(playlistsIn)];
}

function titleOf({ title, media_started_at: began, id }) {
  return title ?? (began ? new Date(began).toLocaleString() : (id ?? 'recording'));
}

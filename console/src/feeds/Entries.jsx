import { memo } from 'react';

import { elapsed, summaryOf } from './words.js';

/** The list, the newest first. */
export function Entries({ timeline, shown, onShow, onResume }) {
  return (
    <ol>
      {timeline.entries.toReversed().map((entry) =>
        entry.mark ? (
          <li key={entry.key} className="mark">
            {entry.mark}
          </li>
        ) : (
          <Entry key={entry.key} entry={entry} isShown={entry === shown} onShow={onShow} onResume={onResume} />
        ),
      )}
      {timeline.older > 0 && <li className="mark">{timeline.older.toLocaleString('en')} older ones are no longer here</li>}
    </ol>
  );
}

/** One payload never changes, so its line is drawn once. */
const Entry = memo(function Entry({ entry, isShown, onShow, onResume }) {
  const { number, payload, cursor, since } = entry;
  return (
    <li>
      <button type="button" className="entry" aria-current={isShown} title="show this payload" onClick={() => onShow(entry)}>
        <b>{cursor ? cursor.text : `#${number}`}</b>
        <time>{elapsed(since)}</time>
        <span data-failed={Boolean(payload.errors)}>{summaryOf(payload)}</span>
      </button>
      {cursor && (
        <button type="button" className="resume" onClick={() => onResume(cursor)}>
          resume here
        </button>
      )}
    </li>
  );
});

import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useCallback, useRef, useSyncExternalStore } from 'react';

import { Entries } from './Entries.jsx';

/** Below the answer: the feed of this tab, with every payload that it was told. */
export function TimelinePane({ feeds }) {
  useSyncExternalStore(feeds.subscribe, feeds.version);
  const { tabs, activeTabIndex } = useGraphiQL(pick('tabs', 'activeTabIndex'));
  const feed = feeds.of(tabs[activeTabIndex]?.id);
  const { show, resume, stop } = useSteps(feeds, feed);
  if (!feed) return null;
  return (
    <section className="timeline" aria-label="Timeline" data-state={feed.state}>
      <Heading feed={feed} onNewest={() => show(null)} onStop={stop} onResume={() => resume(feed.cursor)} />
      <Entries timeline={feed.timeline} shown={feed.shown} onShow={show} onResume={resume} />
    </section>
  );
}

/** What can be done with the feed. They stay the same functions, so that the lines of the list need not be drawn anew. */
function useSteps(feeds, feed) {
  const { responseEditor } = useGraphiQL(pick('responseEditor'));
  const { run, stop, updateActiveTabValues } = useGraphiQLActions();
  const now = useRef();
  now.current = { feed, responseEditor };
  const show = useCallback((entry) => {
    now.current.feed.show(entry);
    const response = JSON.stringify((entry ?? now.current.feed.timeline.newest).payload, null, 2);
    now.current.responseEditor.setValue(response);
    updateActiveTabValues({ response });
  }, []);
  const resume = useCallback(async (cursor) => {
    const { feed: from } = now.current;
    stop();
    from.end('stopped');
    // GraphiQL takes leave of the one that ran before it can begin another.
    await new Promise((left) => setTimeout(left));
    feeds.resume(from, cursor, run);
  }, []);
  return { show, resume, stop };
}

function Heading({ feed, onNewest, onStop, onResume }) {
  const { timeline, cursor, isOver, withdrawn } = feed;
  const isWithdrawn = withdrawn !== null;
  return (
    <header>
      <i className="light" aria-hidden="true" />
      <span className="state" role="status">
        {feed.words}
      </span>
      <span className="count">{isWithdrawn ? `${told(withdrawn)}, for ${feed.caller} alone` : told(timeline.count)}</span>
      {feed.shown && (
        <button type="button" onClick={onNewest}>
          Show newest
        </button>
      )}
      {!isOver && (
        <button type="button" className="main" onClick={onStop}>
          Stop
        </button>
      )}
      {isOver && !isWithdrawn && (
        <button type="button" className="main" onClick={onResume} title={cursor ? undefined : NO_CURSOR}>
          {cursor ? `Resume after ${cursor.text}` : 'Begin again'}
        </button>
      )}
    </header>
  );
}

const NO_CURSOR = 'It has no cursor: callEvents goes on behind a seq (and its epoch) that are selected, a …_stream behind its column.';

function told(count) {
  return count === 1 ? '1 payload' : `${count.toLocaleString('en')} payloads`;
}

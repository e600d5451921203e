import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useEffect, useMemo, useState } from 'react';

import { ActiveTab } from './ActiveTab.jsx';
import { Answers } from './Answers.jsx';
import { Asked } from './asking/Asked.jsx';
import { connect } from './asking/connect.js';
import { CallerBar } from './callers/CallerBar.jsx';
import { ANONYMOUS, UNTOLD } from './callers/callers.js';
import { chosenOf, remember } from './callers/chosen.js';
import { Feeds } from './feeds/Feeds.js';
import { TimelinePane } from './feeds/TimelinePane.jsx';
import { Keys } from './Keys.jsx';
import { Player } from './recordings/Player.jsx';
import { listenForMedia } from './recordings/media.js';
import { isNarrow } from './narrow.js';
import { keptApart } from './storage.js';
import { BEGINNING, EXAMPLES } from './tour/examples.js';
import { Asking, TOUR } from './tour/Tour.jsx';
import { TourButton } from './tour/TourButton.jsx';

const PLUGINS = [explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN];
const feeds = new Feeds();
const turned = ({ tabs, activeTabIndex }) => feeds.turnTo(tabs[activeTabIndex].id, tabs);

/** The page. Without demo users it is a deployment's: it asks for a token, and has no tour. */
export function Console({ demoUsers }) {
  const isDemo = demoUsers.length > 0;
  const callers = useMemo(() => (isDemo ? [...demoUsers, ANONYMOUS, UNTOLD] : [UNTOLD, ANONYMOUS]), [demoUsers]);
  const { caller, setCaller, asked, refused, fetcher } = useCaller(callers);
  const [recordings, setRecordings] = useState([]);
  useEffect(() => listenForMedia(setRecordings), []);
  useEffect(() => setRecordings([]), [caller]);
  const [kept] = useState(() => keptApart(isDemo ? 'nchat-demo' : 'nchat'));
  const [plugins] = useState(() => (isDemo ? [TOUR, ...PLUGINS] : PLUGINS));
  const asking = useMemo(() => ({ caller, ask: (name) => setCaller(callers.find(({ key }) => key === name)) }), [callers, caller]);
  return (
    <Asking.Provider value={asking}>
      <CallerBar callers={callers} caller={caller} refused={refused} onChange={setCaller} />
      <main>
        <GraphiQL
          fetcher={fetcher}
          plugins={plugins}
          storage={kept}
          defaultTabs={isDemo ? EXAMPLES : BEGINNING}
          defaultEditorToolsVisibility={isNarrow() ? false : 'variables'}
          shouldPersistHeaders={false}
          onTabChange={turned}
        >
          <GraphiQL.Logo>{isDemo && <TourButton />}</GraphiQL.Logo>
          <GraphiQL.Footer>
            <Asked caller={caller} asked={asked} />
            <TimelinePane feeds={feeds} />
          </GraphiQL.Footer>
          <Keys focus={!caller.asks} />
          <ActiveTab />
          <Answers caller={caller} />
        </GraphiQL>
      </main>
      {recordings.length > 0 && <Player recordings={recordings} onClose={() => setRecordings([])} />}
    </Asking.Provider>
  );
}

/** Who asks, with a connection of their own; what it was asked last, and whether the token was refused. */
function useCaller(callers) {
  const [caller, setCaller] = useState(() => chosenOf(callers));
  const [asked, setAsked] = useState(null);
  const [refused, setRefused] = useState(null);
  const told = ({ carried, refused: why }) => {
    setRefused(why ?? null);
    if (carried) setAsked({ carried, tab: feeds.tab });
  };
  // Another caller sees another schema, so GraphiQL introspects again with the new fetcher.
  const connection = useMemo(() => connect(caller, feeds, told), [caller]);
  useEffect(() => remember(caller), [caller]);
  useEffect(() => connection.close, [connection]);
  const change = (next) => {
    if (next === caller) return;
    feeds.changeCaller(next.label);
    setAsked(null);
    setRefused(null);
    setCaller(next);
  };
  return { caller, setCaller: change, asked, refused, fetcher: connection.fetcher };
}

import { explorerPlugin } from '@graphiql/plugin-explorer';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { useEffect, useMemo, useState } from 'react';

import { CallerBar } from './CallerBar.jsx';
import { ANONYMOUS } from './callers.js';
import { EXAMPLES } from './examples.js';
import { connect } from './fetcher.js';
import { listenForMedia } from './media.js';
import { Player } from './Player.jsx';

const PLUGINS = [explorerPlugin({ showAttribution: false }), HISTORY_PLUGIN];

export function Console({ demoUsers }) {
  const [caller, setCaller] = useState(demoUsers[0] ?? ANONYMOUS);
  // Another caller sees another schema, so GraphiQL introspects again with the new fetcher.
  const connection = useMemo(() => connect(caller), [caller]);
  useEffect(() => connection.close, [connection]);
  const [recordings, setRecordings] = useState([]);
  useEffect(() => listenForMedia(setRecordings), []);
  return (
    <>
      <CallerBar demoUsers={demoUsers} caller={caller} onChange={setCaller} />
      <main>
        <GraphiQL
          fetcher={connection.fetcher}
          plugins={PLUGINS}
          defaultTabs={EXAMPLES}
          defaultEditorToolsVisibility="variables"
          shouldPersistHeaders={false}
        />
      </main>
      {recordings.length > 0 && <Player recordings={recordings} onClose={() => setRecordings([])} />}
    </>
  );
}

import { pick, useGraphiQL } from '@graphiql/react';
import { useEffect } from 'react';

/** The tab that is open is in sight, however many there are. */
export function ActiveTab() {
  const { activeTabIndex, tabs, visiblePlugin } = useGraphiQL(pick('activeTabIndex', 'tabs', 'visiblePlugin'));
  useEffect(() => {
    document.getElementById(`graphiql-session-tab-${activeTabIndex}`)?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }, [activeTabIndex, tabs.length, visiblePlugin]);
  return null;
}

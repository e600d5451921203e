import { pick, useGraphiQL } from '@graphiql/react';
import { useLayoutEffect, useRef } from 'react';

/** An answer is for whom it was given to: with another caller none of the old ones stays, in no tab. */
export function Answers({ caller }) {
  const { tabs, responseEditor } = useGraphiQL(pick('tabs', 'responseEditor'));
  const before = useRef(caller);
  useLayoutEffect(() => {
    if (before.current === caller) return;
    before.current = caller;
    // GraphiQL keeps each tab's answer in memory, and has an action for the one of the active tab alone.
    for (const tab of tabs) tab.response = null;
    responseEditor?.setValue('');
  }, [caller]);
  return null;
}

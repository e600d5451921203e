import { pick, useGraphiQL } from '@graphiql/react';

/** Below an answer: whose it is, and the ids that were passed on to it. `asked` is of the tab that was asked last. */
export function Asked({ caller, asked }) {
  const { tabs, activeTabIndex } = useGraphiQL(pick('tabs', 'activeTabIndex'));
  if (asked?.tab !== tabs[activeTabIndex].id) return null;
  return (
    <p className="asked">
      <span>
        asked as <b>{caller.label}</b>
      </span>
      {Object.entries(asked.carried).map(([name, id]) => (
        <span key={name} title="from the last answer that had one; write a variable to ask for another">
          {name} <code>{id}</code> carried along
        </span>
      ))}
    </p>
  );
}

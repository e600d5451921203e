import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { createContext, useContext } from 'react';

import { isNarrow } from '../narrow.js';
import { CHAPTERS } from './chapters.js';
import { toggle } from './sidebar.js';

/** `{caller, ask}`: who asks, and how somebody else does, by name. */
export const Asking = createContext(null);

export const TOUR = { title: 'Tour', icon: Icon, content: Tour };

/** The examples in the order of a walk. Each opens in a tab again, whatever became of the one it had. */
function Tour() {
  const open = useOpen();
  const { caller } = useContext(Asking);
  const { tabs, activeTabIndex } = useGraphiQL(pick('tabs', 'activeTabIndex'));
  const isHere = ({ example, as }) => tabs[activeTabIndex].query === example.query && as === (as && caller.key);
  return (
    <div className="tour">
      <h2>Tour</h2>
      {CHAPTERS.map(({ title, about, steps }) => (
        <section key={title} aria-label={title}>
          <h3>{title}</h3>
          <p>{about}</p>
          <ol>
            {steps.map((step, place) => (
              <li key={place}>
                <button type="button" aria-current={isHere(step)} onClick={() => open(step)}>
                  <b>{step.example.name}</b>
                  {step.as && <em>as {step.as}</em>}
                  <span>{step.about}</span>
                </button>
              </li>
            ))}
          </ol>
        </section>
      ))}
      <p>
        <a href="/console#bob" target="_blank" rel="noopener">
          A window for bob
        </a>
      </p>
    </div>
  );
}

/** Opens a step: as whom it is for, in the tab that has it as it was written, else in a new one. */
function useOpen() {
  const { ask } = useContext(Asking);
  const { tabs, queryEditor, variableEditor } = useGraphiQL(pick('tabs', 'queryEditor', 'variableEditor'));
  const { addTab, changeTab, setOperationName } = useGraphiQLActions();
  return ({ example: { name, query, variables }, as }) => {
    if (as) ask(as);
    const place = tabs.findIndex((tab) => tab.query === query);
    if (place >= 0) changeTab(place);
    else {
      addTab();
      queryEditor.setValue(query);
      variableEditor.setValue(variables ?? '');
    }
    setOperationName(name);
    // There the tour covers the tab that it opens.
    if (isNarrow()) toggle(TOUR);
    else queryEditor.focus();
  };
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" aria-hidden="true">
      <path d="M9 4 3 6.5v13L9 17l6 2.5 6-2.5V4l-6 2.5L9 4zM9 4v13M15 6.5v13" />
    </svg>
  );
}

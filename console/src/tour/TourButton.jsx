import { pick, useGraphiQL } from '@graphiql/react';

import { toggle } from './sidebar.js';
import { TOUR } from './Tour.jsx';

/** Beside the tabs, where a newcomer looks for more of them. */
export function TourButton() {
  const { visiblePlugin } = useGraphiQL(pick('visiblePlugin'));
  return (
    <button type="button" className="tour-button" aria-pressed={visiblePlugin === TOUR} onClick={() => toggle(TOUR)}>
      Tour<span> &amp; examples</span>
    </button>
  );
}

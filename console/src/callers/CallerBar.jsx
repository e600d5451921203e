import { useState } from 'react';

import { UNTOLD } from './callers.js';
import { TypedCaller } from './TypedCaller.jsx';

/** The line at the top: who asks, and what is wrong with the token where something is. */
export function CallerBar({ callers, caller, refused, onChange }) {
  // What was typed stays while somebody else asks.
  const [typed, setTyped] = useState(UNTOLD);
  const use = (next) => {
    setTyped(next);
    onChange(next);
  };
  return (
    <header className="caller-bar">
      <strong className="brand">nchat calls</strong>
      <span className="asks">asking as</span>
      <div role="radiogroup" aria-label="caller" className="callers">
        {callers.map((choice) => (
          <button
            key={choice.key}
            id={`caller-${choice.key}`}
            type="button"
            role="radio"
            aria-checked={choice.key === caller.key}
            title={choice.hint}
            onClick={() => choice.key !== caller.key && onChange(choice.key === UNTOLD.key ? typed : choice)}
          >
            {choice.label}
          </button>
        ))}
      </div>
      <TypedCaller hidden={caller.key !== UNTOLD.key} onUse={use} />
      {caller.key !== UNTOLD.key && <span className="hint">{caller.hint}</span>}
      {refused && (
        <p role="alert" className="refused">
          {refused}. {caller.canRenew ? 'There is no new token to be had: does `make run` still run?' : 'Give another token, or ask as somebody else.'}
        </p>
      )}
    </header>
  );
}

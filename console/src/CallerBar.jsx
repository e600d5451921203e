import { useState } from 'react';

import { ANONYMOUS, typedCaller } from './callers.js';

/** The line at the top: who asks. */
export function CallerBar({ demoUsers, caller, onChange }) {
  const [typed, setTyped] = useState({ token: '', secret: '', role: '', userId: '' });
  const choices = [...demoUsers, ANONYMOUS, typedCaller(typed)];
  const edit = (field) => (event) => {
    const next = { ...typed, [field]: event.target.value.trim() };
    setTyped(next);
    onChange(typedCaller(next));
  };
  return (
    <header className="caller-bar">
      <strong className="brand">nchat calls</strong>
      <span className="asks">asking as</span>
      <div role="radiogroup" aria-label="caller" className="callers">
        {choices.map((choice) => (
          <button
            key={choice.key}
            id={`caller-${choice.key}`}
            type="button"
            role="radio"
            aria-checked={choice.key === caller.key}
            title={choice.hint}
            onClick={() => onChange(choice)}
          >
            {choice.label}
          </button>
        ))}
      </div>
      {caller.key === 'typed' ? (
        <form className="typed" autoComplete="off" onSubmit={(event) => event.preventDefault()}>
          <input type="password" aria-label="token" placeholder="bearer token" value={typed.token} onChange={edit('token')} />
          <input type="password" aria-label="admin secret" placeholder="or admin secret" value={typed.secret} onChange={edit('secret')} />
          <input aria-label="role" placeholder="x-hasura-role" value={typed.role} onChange={edit('role')} />
          <input aria-label="user id" placeholder="x-hasura-user-id" value={typed.userId} onChange={edit('userId')} />
        </form>
      ) : (
        <span className="hint">{caller.hint}</span>
      )}
    </header>
  );
}

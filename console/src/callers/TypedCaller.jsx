import { useEffect, useRef, useState } from 'react';

import { typedCaller } from './callers.js';

const FIELDS = [
  { name: 'token', about: 'token', placeholder: 'bearer token', type: 'password' },
  { name: 'secret', about: 'admin secret', placeholder: 'or admin secret', type: 'password' },
  { name: 'role', about: 'role', placeholder: 'x-hasura-role' },
  { name: 'userId', about: 'user id', placeholder: 'x-hasura-user-id' },
];
const NOTHING = { token: '', secret: '', role: '', userId: '' };

/** A token or the admin secret, typed or pasted: nothing of it is sent before Enter, the button or leaving the form says that it is whole. */
export function TypedCaller({ hidden, onUse }) {
  const [typed, setTyped] = useState(NOTHING);
  const [used, setUsed] = useState(NOTHING);
  const first = useRef(null);
  useEffect(() => {
    if (!hidden) first.current.focus();
  }, [hidden]);
  const changed = FIELDS.some(({ name }) => typed[name] !== used[name]);
  const use = () => {
    if (!changed) return;
    setUsed(typed);
    onUse(typedCaller(Object.fromEntries(FIELDS.map(({ name }) => [name, typed[name].trim()]))));
  };
  const submitted = (event) => {
    event.preventDefault();
    use();
  };
  const left = ({ currentTarget, relatedTarget }) => {
    // Who turns to another caller, or to another window to copy the rest, has not finished.
    const elsewhere = relatedTarget?.closest('.callers') || !document.hasFocus();
    if (!elsewhere && !currentTarget.contains(relatedTarget)) use();
  };
  return (
    <form className="typed" hidden={hidden} autoComplete="off" onSubmit={submitted} onBlur={left}>
      {FIELDS.map(({ name, about, ...rest }, place) => (
        <input
          key={name}
          ref={place === 0 ? first : undefined}
          aria-label={about}
          value={typed[name]}
          onChange={({ target }) => setTyped({ ...typed, [name]: target.value })}
          {...rest}
        />
      ))}
      <button type="submit" disabled={!changed}>
        {changed || used === NOTHING ? 'Use' : 'In use'}
      </button>
    </form>
  );
}

import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect } from 'react';

/** The editor has the keyboard from the start, and Ctrl-Enter runs wherever it is. */
export function Keys({ focus }) {
  const { queryEditor } = useGraphiQL(pick('queryEditor'));
  const { run } = useGraphiQLActions();
  useEffect(() => {
    // On a telephone the keyboard would cover the half of the page.
    if (focus && matchMedia('(pointer: fine)').matches) queryEditor?.focus();
  }, [queryEditor]);
  useEffect(() => {
    const pressed = (event) => {
      const { key, ctrlKey, metaKey, target, defaultPrevented } = event;
      // The editors have it as a key of their own; in a form Enter is the form's.
      if (key !== 'Enter' || !(ctrlKey || metaKey) || defaultPrevented || target.closest('form')) return;
      event.preventDefault();
      run();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, [run]);
  return null;
}

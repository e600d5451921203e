import Hls from 'hls.js';
import { useEffect, useRef, useState } from 'react';

/** Plays one of the recordings that an answer held; it is only here while there is one. */
export function Player({ recordings, onClose }) {
  const [chosen, setChosen] = useState(0);
  const [problem, setProblem] = useState(null);
  const video = useRef(null);
  const { url } = recordings[Math.min(chosen, recordings.length - 1)];
  useEffect(() => {
    setProblem(null);
    const player = new Hls();
    player.on(Hls.Events.ERROR, (_, { fatal, details }) => fatal && setProblem(details));
    player.loadSource(url);
    player.attachMedia(video.current);
    return () => player.destroy();
  }, [url]);
  return (
    <aside className="player" aria-label="Player">
      <video ref={video} controls muted />
      <p>
        <select value={chosen} onChange={({ target }) => setChosen(Number(target.value))} aria-label="Recording">
          {recordings.map(({ title, url: each }, place) => (
            <option key={each} value={place}>
              {title}
            </option>
          ))}
        </select>
        <button type="button" onClick={onClose}>
          Close
        </button>
      </p>
      {problem && <p role="alert">It can’t be played: {problem}</p>}
    </aside>
  );
}

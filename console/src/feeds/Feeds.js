// The feeds of the page: at most one runs, and each tab keeps its last one, over or not.
import { Feed } from './Feed.js';
import { Timeline } from './timeline.js';

// Many payloads are one look of the page at the timeline.
const LOOK = 100;

export class Feeds {
  /** The tab that is open. */
  tab = null;
  #ofTab = new Map();
  #resumption = null;
  #listeners = new Set();
  #version = 0;
  #timer = null;

  /** Begins what GraphiQL asks for, or what is to be resumed; the caller's name is for the words alone. */
  begin({ request, socket, caller, noticed }) {
    const { feed: before, cursor } = this.#resumption ?? {};
    this.#resumption = null;
    const timeline = before?.timeline ?? new Timeline();
    const feed = new Feed({ request: before?.request ?? request, caller, timeline, changed: () => this.#changed() });
    if (before) timeline.say(cursor ? `resumed after ${cursor.text}` : 'begun again');
    feed.cursor = cursor ?? null;
    this.#ofTab.set(this.tab, feed);
    feed.follow(socket, noticed);
    return feed;
  }

  /** The last feed of a tab, or undefined. */
  of(tab) {
    return this.#ofTab.get(tab);
  }

  /** `run`, which asks `begin` before it gives back, begins this feed again behind the cursor (null: where it began first). */
  resume(feed, cursor, run) {
    this.#resumption = { feed, cursor };
    run();
    this.#resumption = null; // where GraphiQL did not come to ask
  }

  /** GraphiQL shows this tab now, of these: the feed of another one ends, those of closed ones are forgotten. */
  turnTo(tab, tabs) {
    this.tab = tab;
    const open = new Set(tabs.map(({ id }) => id));
    for (const [id, feed] of this.#ofTab) {
      if (id !== tab) feed.leave('ended when another tab was opened');
      if (!open.has(id)) this.#ofTab.delete(id);
    }
  }

  /** Another person asks: what was told is not theirs to see. The feed that ran says so, of those before nothing is left. */
  changeCaller(name) {
    for (const [id, feed] of this.#ofTab) {
      if (feed.isOver) this.#ofTab.delete(id);
      else feed.withdraw(`ended: you ask as ${name} now`);
    }
    this.#changed();
  }

  subscribe = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  version = () => this.#version;

  #changed() {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.#version += 1;
      this.#listeners.forEach((listener) => listener());
    }, LOOK);
  }
}

// One subscription: followed over a socket, kept in a timeline, read by GraphiQL.
import { cursorsOf, resumed } from './cursor.js';

// GraphiQL draws at most twenty answers a second; the timeline has those between.
const PAUSE = 50;
// How a socket closes that nobody needs any more.
const NORMAL = 1000;
// Refusals after which the cursor is worth nothing.
const ANOTHER_HISTORY = ['history-changed', 'cursor-ahead'];

/**
 * What it is doing is its `state` (`opening`, `live`, `away` while the connection is lost, `over`, `failed`) and `words`. GraphiQL reads the
 * newest payload as often as it can draw it; while one of the timeline is `shown`, it reads nothing.
 */
export class Feed {
  state = 'opening';
  words = 'connecting …';
  shown = null;
  /** Behind the last payload that had one. */
  cursor = null;
  /** How many payloads were taken away with the caller; null as long as they are here. */
  withdrawn = null;
  #changed;
  #cursorOf;
  #fresh = null;
  #wake = () => {};
  #over = () => {};
  #ended = new Promise((done) => (this.#over = done));
  #drawn = 0;
  #unfollow = () => {};

  /** `request` is what is asked, without a header; `changed` hears of whatever has become different. */
  constructor({ request, caller, timeline, changed }) {
    Object.assign(this, { request, caller, timeline });
    this.#changed = changed;
    this.#cursorOf = cursorsOf(request);
  }

  /** Begins over this socket of graphql-ws, which comes back by itself when the connection is lost: then behind the last payload. */
  follow(socket, noticed) {
    const begun = this;
    const payload = {
      operationName: this.request.operationName,
      get query() {
        return begun.#onward().query;
      },
      get variables() {
        return begun.#onward().variables;
      },
    };
    const listening = [socket.on('connected', () => this.#connected()), socket.on('closed', ({ code }) => this.#lost(code))];
    const unsubscribe = socket.subscribe(payload, {
      next: (told) => this.#take(noticed(told)),
      error: (problem) => this.#refused(problem),
      complete: () => this.end('complete: the service has no more to tell'),
    });
    this.#unfollow = () => [...listening, unsubscribe].forEach((stop) => stop());
  }

  /** Ends it and says why; the second reason is too late. */
  end(why, state = 'over') {
    if (this.isOver) return;
    this.#is(state, why);
    this.#unfollow();
    this.#over();
    this.#wake();
  }

  /** Ends it where another tab or another caller is: nothing that still waits is drawn there. */
  leave(why) {
    this.#fresh = null;
    this.end(why);
  }

  /** Leaves it for another caller, and forgets what was told. */
  withdraw(why) {
    this.leave(why);
    this.show(null);
    this.withdrawn = this.timeline.count;
    this.timeline.clear();
  }

  get isOver() {
    return this.state === 'over' || this.state === 'failed';
  }

  /** Shows a payload of the timeline and stays with it; null goes on with the newest. */
  show(entry) {
    this.shown = entry;
    this.#fresh = null;
    this.#changed(this);
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  /** What GraphiQL draws next. */
  async next() {
    await Promise.race([this.#ended, pause(this.#drawn + PAUSE - performance.now())]);
    while (this.#fresh === null && !this.isOver) await new Promise((wake) => (this.#wake = wake));
    if (this.#fresh === null) return { done: true };
    const value = this.#fresh;
    this.#fresh = null;
    this.#drawn = performance.now();
    return { value, done: false };
  }

  /** GraphiQL stops it before it turns to another tab: that is told a moment later, and is the better reason. */
  async return() {
    queueMicrotask(() => this.end('stopped'));
    return { done: true };
  }

  #onward() {
    return this.cursor === null ? this.request : resumed(this.request, this.cursor);
  }

  #lost(code) {
    if (code !== NORMAL) this.#is('away', 'the connection is lost, coming back …');
  }

  #connected() {
    if (this.state === 'away' && this.timeline.count > 0) this.timeline.say('the connection was lost and came back');
    this.#is('live', 'live');
  }

  #take(payload) {
    const cursor = this.#cursorOf(payload);
    this.cursor = cursor ?? this.cursor;
    this.timeline.add(payload, cursor, performance.now());
    if (this.shown === null) this.#draw(payload);
    if (this.state === 'live') this.#changed(this);
    else this.#is('live', 'live');
  }

  #draw(payload) {
    this.#fresh = payload;
    this.#wake();
  }

  #refused(problem) {
    const { words, errors } = inWords(problem);
    this.timeline.add({ errors }, null, performance.now());
    this.#draw({ errors });
    if (ANOTHER_HISTORY.includes(errors[0].extensions?.code)) this.cursor = null;
    this.end(words, 'failed');
  }

  #is(state, words) {
    if (this.isOver) return;
    Object.assign(this, { state, words });
    this.#changed(this);
  }
}

/** What graphql-ws gives up with: the errors of an operation, or how the socket closed. */
function inWords(problem) {
  if (Array.isArray(problem)) return { words: `refused: ${problem[0].message}`, errors: problem };
  const words = problem.code ? `closed: ${problem.reason || 'no reason given'} (${problem.code})` : `failed: ${problem.message ?? 'the service does not answer'}`;
  return { words, errors: [{ message: words }] };
}

function pause(milliseconds) {
  return milliseconds > 0 ? new Promise((done) => setTimeout(done, milliseconds)) : undefined;
}

// What a feed was told, bounded: however long it runs, a page holds the newest payloads and how many there were before.

export const KEPT = 500;
export const KEPT_CHARACTERS = 4_000_000;

/**
 * The payloads of a feed, the oldest first, each `{number, payload, cursor, since, size}`: `since` is the time from the payload before in
 * milliseconds (null: the first of its run). Between them stand marks, `{number, mark}`, in words.
 */
export class Timeline {
  entries = [];
  /** How many payloads are no longer here. */
  older = 0;
  /** How many there were in all. */
  count = 0;
  #characters = 0;
  #marks = 0;
  #last = null;

  /** Takes a payload that arrived at `now` (milliseconds), with the cursor that goes on behind it. */
  add(payload, cursor, now) {
    this.count += 1;
    const entry = { key: `payload ${this.count}`, number: this.count, payload, cursor, since: this.#last === null ? null : now - this.#last, size: JSON.stringify(payload).length };
    this.#last = now;
    this.#characters += entry.size;
    this.entries.push(entry);
    while (this.entries.length > 1 && (this.entries.length > KEPT || this.#characters > KEPT_CHARACTERS)) this.#drop();
  }

  /** Says in the list what happened between two payloads; the time since the last begins anew. */
  say(mark) {
    this.#marks += 1;
    this.#last = null;
    this.entries.push({ key: `mark ${this.#marks}`, mark });
  }

  /** Forgets everything that was told. */
  clear() {
    this.entries = [];
    this.older = this.count = this.#characters = 0;
    this.#last = null;
  }

  /** The newest payload, or undefined. */
  get newest() {
    return this.entries.findLast(({ payload }) => payload !== undefined);
  }

  #drop() {
    const { payload, size } = this.entries.shift();
    if (payload === undefined) return;
    this.older += 1;
    this.#characters -= size;
  }
}

/**
 * Many timers on one of the runtime's: each of those costs some 5 us to set and to cancel, and a question
 * to a nameserver sets several, nearly all of which are cancelled. Here both are a few list operations.
 *
 * Timers of the same millisecond are one list; which milliseconds have lists, a heap tells.
 *
 * @module
 */

/** What the queue stands on: the runtime's own. */
export interface RuntimeTimer<Timer> {
  /** Milliseconds; never goes back. */
  nowMs(): number;
  /** Calls `callback` once after `delayMs`; returns what {@link clear} takes. */
  set(callback: () => void, delayMs: number): Timer;
  /** Cancels it. */
  clear(timer: Timer): void;
}

/** A timer, in the list of its millisecond. */
class Entry {
  readonly callback: () => void;
  readonly list: EntryList;
  before: Entry | undefined = undefined;
  after: Entry | undefined = undefined;
  isDone = false;

  constructor(callback: () => void, list: EntryList) {
    this.callback = callback;
    this.list = list;
  }
}

/** The timers of one millisecond, in the order in which they were set. */
class EntryList {
  readonly dueMs: number;
  first: Entry | undefined = undefined;
  last: Entry | undefined = undefined;

  constructor(dueMs: number) {
    this.dueMs = dueMs;
  }

  add(entry: Entry): void {
    entry.before = this.last;
    if (this.last === undefined) this.first = entry;
    else this.last.after = entry;
    this.last = entry;
  }

  remove(entry: Entry): void {
    if (entry.before === undefined) this.first = entry.after;
    else entry.before.after = entry.after;
    if (entry.after === undefined) this.last = entry.before;
    else entry.after.before = entry.before;
  }
}

/** The largest delay that the runtime's timers take (2^31 - 1 ms, 24.8 days); longer ones fire at once. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** The queue. */
export class TimerQueue<Timer> {
  readonly #runtime: RuntimeTimer<Timer>;
  readonly #lists = new Map<number, EntryList>();
  /** Binary heap of {@link EntryList.dueMs}; a list that has become empty stays until its time. */
  readonly #heap: number[] = [];
  #count = 0;
  #timer: Timer | undefined;
  #timerMs = 0;

  /** Sets no timer yet. */
  constructor(runtime: RuntimeTimer<Timer>) {
    this.#runtime = runtime;
  }

  /**
   * Calls `callback` once after `delayMs`, at the next whole millisecond of the clock.
   *
   * @returns a function that cancels the call; harmless after it ran
   */
  schedule(delayMs: number, callback: () => void): () => void {
    const atMs = this.#runtime.nowMs() + Math.min(Math.max(0, delayMs), MAX_DELAY_MS);
    // Always later than now: what a callback sets anew at once does not keep the others waiting.
    const dueMs = Math.floor(atMs) + 1;
    let list = this.#lists.get(dueMs);
    if (list === undefined) {
      list = new EntryList(dueMs);
      this.#lists.set(dueMs, list);
      this.#push(dueMs);
    }
    const entry = new Entry(callback, list);
    list.add(entry);
    this.#count++;
    if (this.#timer === undefined || dueMs < this.#timerMs) this.#arm(dueMs);
    return () => this.#cancel(entry);
  }

  #cancel(entry: Entry): void {
    if (entry.isDone) return;
    this.#finish(entry);
    // Nothing keeps the process alive any more. Else the timer may fire in vain, once.
    if (this.#count === 0) this.#disarm();
  }

  #finish(entry: Entry): void {
    entry.isDone = true;
    entry.list.remove(entry);
    this.#count--;
  }

  #arm(dueMs: number): void {
    this.#disarm();
    this.#timerMs = dueMs;
    const delayMs = Math.min(Math.max(0, dueMs - this.#runtime.nowMs()), MAX_DELAY_MS);
    this.#timer = this.#runtime.set(() => this.#run(), delayMs);
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#runtime.clear(this.#timer);
    this.#timer = undefined;
  }

  /** Calls what is due, and sets the timer for what comes next. */
  #run(): void {
    this.#timer = undefined;
    const nowMs = this.#runtime.nowMs();
    try {
      while (this.#heap.length > 0 && this.#heap[0] <= nowMs) {
        const list = this.#lists.get(this.#heap[0])!;
        // A fault of one leaves the rest for the next turn.
        for (let entry = list.first; entry !== undefined; entry = list.first) {
          this.#finish(entry);
          entry.callback();
        }
        this.#lists.delete(this.#pop());
      }
    } finally {
      while (this.#heap.length > 0 && this.#lists.get(this.#heap[0])!.first === undefined) {
        this.#lists.delete(this.#pop());
      }
      if (this.#heap.length > 0) this.#arm(this.#heap[0]);
    }
  }

  #push(dueMs: number): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(dueMs);
    while (i > 0) {
      const parent = i - 1 >> 1;
      if (heap[parent] <= dueMs) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = dueMs;
  }

  #pop(): number {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= last) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

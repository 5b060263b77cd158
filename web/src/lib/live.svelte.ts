/**
 * The one WebSocket of a signed-in page. It resumes behind the last frame it saw; where the server no longer has that
 * frame it sends RESYNC, and every listener fetches its own part again.
 */
import { isRepeat, readFrame, type Frame } from './frames';

export type LiveStatus = 'connecting' | 'live' | 'offline';

/** First wait after a lost connection, doubled each time up to the longest; full jitter, so that a restarted server
 * does not meet every browser in the same instant. Milliseconds. */
const SHORTEST_WAIT = 500;
const LONGEST_WAIT = 20_000;
/** A page that slept longer than the server's two pings (20 s each) may hold a socket that is dead without knowing. */
const STALE_AFTER = 45_000;

/** How often a socket that is silent is asked whether it lives: a network can vanish without a word. Milliseconds. */
const ASK_AFTER = 10_000;

export class Live {
  status = $state<LiveStatus>('connecting');
  #socket: WebSocket | null = null;
  #after: string | null = null;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hiddenAt: number | null = null;
  #heard = false;
  #asked = false;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #running = false;
  readonly #listeners = new Set<(frame: Frame) => void>();
  readonly #opened = new Set<() => void>();
  readonly #address: string;
  readonly #refused: () => void;

  /**
   * @param address where the socket is, `ws://…/ws`
   * @param refused called when a socket could not even be opened: the login may have ended
   */
  constructor(address: string, refused: () => void = () => undefined) {
    this.#address = address;
    this.#refused = refused;
  }

  /** Calls `listener` with every frame from now on; the result ends that. */
  subscribe(listener: (frame: Frame) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `action` each time there is a connection again; the result ends that. */
  whenLive(action: () => void): () => void {
    this.#opened.add(action);
    return () => this.#opened.delete(action);
  }

  start(): void {
    this.#running = true;
    addEventListener('online', this.#wake);
    addEventListener('offline', this.#sleep);
    document.addEventListener('visibilitychange', this.#visibility);
    this.#pulse = setInterval(() => this.#check(), ASK_AFTER);
    this.#open();
  }

  stop(): void {
    this.#running = false;
    removeEventListener('online', this.#wake);
    removeEventListener('offline', this.#sleep);
    document.removeEventListener('visibilitychange', this.#visibility);
    clearInterval(this.#pulse);
    this.#drop();
  }

  /** Tells the server something that matters only now; without a connection it is not told. */
  say(what: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(what));
  }

  #drop(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #open(): void {
    this.#drop();
    if (!this.#running) return;
    const resume = this.#after === null ? '' : `?after=${encodeURIComponent(this.#after)}`;
    const socket = new WebSocket(this.#address + resume);
    let opened = false;
    this.#socket = socket;
    this.#asked = false;
    socket.onopen = () => {
      opened = true;
      this.#failures = 0;
      this.status = 'live';
      for (const action of [...this.#opened]) action();
    };
    socket.onmessage = (event) => this.#receive(String(event.data));
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (!opened) this.#refused();
      this.#retry();
    };
  }

  #check(): void {
    if (this.#heard) this.#asked = false;
    else if (this.#asked) return this.#wake();
    else if (this.#socket) {
      // one that does not even open may wait for minutes
      if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send('ping');
      this.#asked = true;
    }
    this.#heard = false;
  }

  #retry(): void {
    this.status = navigator.onLine ? 'connecting' : 'offline';
    const longest = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.#open(), Math.random() * longest);
  }

  #receive(text: string): void {
    this.#heard = true;
    const frame = readFrame(text);
    if (frame === null || isRepeat(frame.id, this.#after)) return;
    this.#after = frame.id;
    if (frame.code === 'PONG') return;
    for (const listener of [...this.#listeners]) listener(frame);
  }

  readonly #wake = (): void => {
    this.#failures = 0;
    this.status = 'connecting';
    this.#open();
  };

  readonly #sleep = (): void => {
    this.status = 'offline';
  };

  readonly #visibility = (): void => {
    if (document.visibilityState === 'hidden') {
      this.#hiddenAt = Date.now();
    } else if (this.status !== 'live' || (this.#hiddenAt !== null && Date.now() - this.#hiddenAt > STALE_AFTER)) {
      this.#wake();
    }
  };
}

export function liveAddress(location: Location): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
}

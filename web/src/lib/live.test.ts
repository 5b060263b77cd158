import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isRepeat } from './frames';
import { Live } from './live.svelte';

class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: () => void = () => undefined;
  onclose: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  closed = false;
  readyState = 0;
  readonly said: string[] = [];
  static readonly OPEN = 1;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen();
  }

  send(text: string): void {
    this.said.push(text);
  }

  close(): void {
    this.closed = true;
  }

  frame(id: string): void {
    this.onmessage({ data: JSON.stringify({ id, code: 'RESYNC', message: '', result: { reason: 'x' } }) });
  }
}

const last = (): FakeSocket => FakeSocket.all.at(-1)!;

beforeEach(() => {
  FakeSocket.all = [];
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('Live', () => {
  it('resumes behind the last frame and drops repeats', () => {
    const live = new Live('ws://x/ws');
    const seen: string[] = [];
    live.subscribe((frame) => seen.push(frame.id));
    live.start();
    expect(last().url).toBe('ws://x/ws');
    last().onopen();
    last().frame('a:1');
    last().frame('a:2');
    last().frame('a:2');
    last().onclose();
    vi.advanceTimersByTime(60_000);
    expect(last().url).toBe('ws://x/ws?after=a%3A2');
    last().frame('a:1');
    last().frame('b:1');
    expect(seen).toEqual(['a:1', 'a:2', 'b:1']);
    live.stop();
  });

  it('waits longer after each failure, up to a limit, and asks who is signed in', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const refused = vi.fn();
    const live = new Live('ws://x/ws', refused);
    live.start();
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      const opened = FakeSocket.all.length;
      last().onclose();
      let waited = 0;
      while (FakeSocket.all.length === opened) {
        vi.advanceTimersByTime(500);
        waited += 500;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
    expect(refused).toHaveBeenCalledTimes(8);
    live.stop();
  });

  it('tries at once when the network is back, and stays quiet once stopped', () => {
    const live = new Live('ws://x/ws');
    live.start();
    dispatchEvent(new Event('offline'));
    expect(live.status).toBe('offline');
    dispatchEvent(new Event('online'));
    expect(FakeSocket.all).toHaveLength(2);
    last().onopen();
    expect(live.status).toBe('live');
    live.stop();
    expect(last().closed).toBe(true);
    dispatchEvent(new Event('online'));
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toHaveLength(2);
  });
});

describe('a silent socket', () => {
  it('is asked, and kept while it answers', () => {
    const live = new Live('ws://x/ws');
    live.start();
    last().open();
    last().frame('a:1');
    for (let round = 0; round < 5; round += 1) {
      vi.advanceTimersByTime(20_000);
      expect(last().said).toHaveLength(round + 1);
      last().frame(`a:${round + 2}`);
    }
    expect(FakeSocket.all).toHaveLength(1);
    expect(live.status).toBe('live');
    live.stop();
  });

  it('is given up where it does not answer, and what was missed is fetched', () => {
    const live = new Live('ws://x/ws');
    const again = vi.fn();
    live.start();
    last().open();
    last().frame('a:1');
    vi.advanceTimersByTime(30_000);
    expect(FakeSocket.all).toHaveLength(2);
    expect(live.status).toBe('connecting');
    expect(last().url).toBe('ws://x/ws?after=a%3A1');
    live.whenLive(again);
    last().open();
    expect(again).toHaveBeenCalledOnce();
    live.stop();
  });
});

describe('isRepeat', () => {
  it.each([
    ['a:2', 'a:2', true],
    ['a:9', 'a:10', true],
    ['a:11', 'a:10', false],
    ['b:1', 'a:10', false],
    ['a:1', null, false],
  ])('%s after %s: %s', (id, before, expected) => expect(isRepeat(id, before)).toBe(expected));
});

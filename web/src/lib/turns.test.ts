import { describe, expect, it } from 'vitest';
import { Turns } from './turns';

/** Turns for two, what has begun, and how each ends. */
function line(...names: string[]): { begun: string[]; end: (name: string) => void } {
  const [turns, begun] = [new Turns(2), [] as string[]];
  const ends = new Map(names.map((name) => [name, turns.begin(() => begun.push(name))]));
  return { begun, end: (name) => ends.get(name)!() };
}

describe('of work in turns', () => {
  it('only so much is under way, and the rest begins in its order', () => {
    const { begun, end } = line('a', 'b', 'c', 'd');
    expect(begun).toEqual(['a', 'b']);
    end('b');
    end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    end('a');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('what is given up while it waits never begins, and holds nobody up', () => {
    const { begun, end } = line('a', 'b', 'c', 'd');
    end('c');
    expect(begun).toEqual(['a', 'b']);
    end('a');
    expect(begun).toEqual(['a', 'b', 'd']);
  });
});

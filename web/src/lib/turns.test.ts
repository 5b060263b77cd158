import { describe, expect, it } from 'vitest';
import { Turns } from './turns';

/** Turns for two, what has begun, and how each ends; capitals are long. */
function line(...names: string[]): { begun: string[]; end: (name: string) => void } {
  const [turns, begun] = [new Turns(2, 1), [] as string[]];
  const ends = new Map(names.map((name) => [name, turns.begin(() => begun.push(name), /[A-Z]/u.test(name))]));
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

  it('nothing short waits for what is long, which begins in its order', () => {
    const { begun, end } = line('A', 'B', 'C', 'd', 'e', 'f');
    expect(begun).toEqual(['A', 'd']);
    end('d');
    expect(begun).toEqual(['A', 'd', 'e']);
    end('A');
    expect(begun).toEqual(['A', 'd', 'e', 'B']);
    end('e');
    expect(begun).toEqual(['A', 'd', 'e', 'B', 'f']);
  });
});

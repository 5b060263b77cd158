import { expect, it } from 'vitest';
import { withTag } from './tags';

it.each([
  [['a'], ' b ', ['a', 'b']],
  [['a'], 'A', ['a']],
  [['a'], '  ', ['a']],
])('%j and %j are %j', (tags, written, all) => expect(withTag(tags, written)).toEqual(all));

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, plainText, source, type Node } from './markup';

const kinds = (nodes: Node[]): string[] => nodes.map((node) => node.kind);

describe('parse', () => {
  it.each([
    ['*bold* _italic_ ~strike~', ['bold', 'text', 'italic', 'text', 'strike']],
    ['```code *not bold*```', ['block']],
    ['a `b` c', ['text', 'code', 'text']],
    ['2 * 3 * 4', ['text']],
    ['snake_case_name', ['text']],
    ['*not\nbold*', ['text']],
    ['* bullet *', ['text']],
    ['**', ['text']],
    ['*', ['text']],
    ['**double**', ['text', 'bold', 'text']],
    ['(*bold*)', ['text', 'bold', 'text']],
    ['*a*b*', ['bold']],
  ])('%j has the parts %j', (text, expected) => expect(kinds(parse(text))).toEqual(expected));

  it('nests', () => {
    expect(parse('*_both_*')).toEqual([
      { kind: 'bold', children: [{ kind: 'italic', children: [{ kind: 'text', text: 'both' }] }] },
    ]);
  });

  it.each([
    ['see https://a.example/x_y_z?q=1.', 'https://a.example/x_y_z?q=1', 'https://a.example/x_y_z?q=1'],
    ['www.a.example, yes', 'www.a.example', 'https://www.a.example'],
    ['(https://a.example/b)', 'https://a.example/b', 'https://a.example/b'],
    ['https://a.example/b_(c)', 'https://a.example/b_(c)', 'https://a.example/b_(c)'],
  ])('finds the address in %j', (text, shown, href) => {
    expect(parse(text)).toContainEqual({ kind: 'link', text: shown, href });
  });

  it('makes no link of anything but http and https', () => {
    for (const text of ['javascript:alert(1)', 'data:text/html,x', 'ftp://a.example', 'https://']) {
      expect(kinds(parse(text))).toEqual(['text']);
    }
  });

  it('leaves HTML as the text it is', () => {
    const text = '<img src=x onerror=alert(1)> <script>*x*</script>';
    expect(source(parse(text))).toBe(text);
    expect(plainText('<b>*x*</b>')).toContain('<b>');
  });

  const marked = fc.array(
    fc.constantFrom(
      '*',
      '_',
      '~',
      '`',
      '```',
      ' ',
      '\n',
      'a',
      'b1',
      '(',
      ')',
      '.',
      'https://x.example/a_b',
      'www.y.example',
      '👨‍👩‍👧',
      'مرحبا',
      '\u0000',
    ),
    { maxLength: 60 },
  );

  it('loses nothing, whatever the text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => source(parse(text)) === text));
    fc.assert(
      fc.property(marked, (parts) => source(parse(parts.join(''))) === parts.join('')),
      { numRuns: 2000 },
    );
  }, 30_000);

  it('only ever drops marks from what is read', () => {
    fc.assert(
      fc.property(marked, (parts) => {
        const letters = (text: string): string => text.replace(/[*_~`]/gu, '');
        return letters(plainText(parts.join(''))) === letters(parts.join(''));
      }),
    );
  });

  it.each(['*a ', '_a* ', '`a\n', '```', '*_~`', 'https://a.example/_ '])('takes 64 KB of %j', (part) => {
    const text = part.repeat(65_536 / part.length);
    expect(source(parse(text))).toBe(text);
  });
});

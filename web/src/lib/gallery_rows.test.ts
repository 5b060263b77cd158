import { describe, expect, it } from 'vitest';
import { message } from '../testing/samples';
import { belongs, galleryRows } from './gallery_rows';

const at = (text: string): number => Date.parse(text) / 1000;

describe('galleryRows', () => {
  it('breaks at months of the zone and after as many as fit', () => {
    const messages = [
      message({ id: '1-5', timestamp: at('2026-11-02T00:00:00Z') }),
      message({ id: '1-4', timestamp: at('2026-10-31T20:00:00Z') }),
      message({ id: '1-3', timestamp: at('2026-10-31T10:00:00Z') }),
      message({ id: '1-2', timestamp: at('2026-10-30T10:00:00Z') }),
      message({ id: '1-1', timestamp: at('2026-10-29T10:00:00Z') }),
    ];
    const rows = galleryRows(messages, 2, 'Asia/Kuala_Lumpur');
    expect(rows.map((row) => (row.kind === 'month' ? row.key : row.messages.map((one) => one.id)))).toEqual([
      'month-24322',
      ['1-5', '1-4'],
      'month-24321',
      ['1-3', '1-2'],
      ['1-1'],
    ]);
  });
});

describe('belongs', () => {
  it('finds links in the words of any message that is not deleted', () => {
    expect(belongs(message({ id: '1-1', message_text: 'see WWW.example.com' }), 'link')).toBe(true);
    expect(belongs(message({ id: '1-1', message_type: 'image', message_text: 'https://x.my' }), 'link')).toBe(true);
    expect(belongs(message({ id: '1-1', message_text: 'http or www' }), 'link')).toBe(false);
    expect(belongs(message({ id: '1-1', message_type: 'image' }), 'image')).toBe(true);
    expect(belongs(message({ id: '1-1', message_type: 'deleted' }), 'image')).toBe(false);
  });
});

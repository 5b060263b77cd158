import { describe, expect, it } from 'vitest';
import { message } from '../testing/samples';
import { beside, coordinates, copyText, mapAddress, type Place } from './carried';

const KLCC: Place = {
  latitude: 3.157851,
  longitude: -101.7,
  accuracy: null,
  name: 'KLCC',
  address: 'Jalan Ampang',
  url: null,
  is_live: false,
};
const nowhere = { ...KLCC, latitude: null, longitude: null };
const at = (place: Place, message_text: string) => message({ id: '1', message_type: 'location', message_text, place });
const contacts = [
  { name: 'Ali', numbers: [{ value: '+60 12-345 6789', type: 'cell', waid: '60123456789' }] },
  { name: '', numbers: [{ value: '012', type: null, waid: null }] },
];
const cards = (message_text: string) => message({ id: '1', message_type: 'contact', message_text, contacts });

describe('a place', () => {
  it('is found on a map by five digits', () => {
    expect(coordinates(KLCC)).toBe('3.15785, -101.70000');
    expect(mapAddress(KLCC)).toBe(
      'https://www.openstreetmap.org/?mlat=3.15785&mlon=-101.70000#map=16/3.15785/-101.70000',
    );
    expect([coordinates(nowhere), mapAddress(nowhere)]).toEqual(['', null]);
  });

  it('shows its words once', () => {
    expect(beside(at(KLCC, 'KLCC\nJalan Ampang'))).toBe('');
    expect(beside(at({ ...KLCC, name: null, address: null }, ''))).toBe('');
    expect(beside(at({ ...KLCC, name: null, address: null, is_live: true }, 'on my way'))).toBe('on my way');
  });

  it('is copied with its coordinates', () => {
    expect(copyText(at(KLCC, 'KLCC'))).toBe('KLCC\n3.15785, -101.70000');
    expect(copyText(at(KLCC, ''))).toBe('3.15785, -101.70000');
    expect(copyText(at(nowhere, 'KLCC'))).toBe('KLCC');
  });
});

describe('contacts', () => {
  it('are copied with their numbers', () => {
    expect(copyText(cards('Ali'))).toBe('Ali\n+60 12-345 6789\n012');
    expect(copyText(message({ id: '1', message_text: 'Hello' }))).toBe('Hello');
  });

  it('leave out no name', () => {
    expect(beside(cards('Ali'))).toBe('');
    expect(beside(cards('Ali\nAbu\nAminah'))).toBe('Ali\nAbu\nAminah');
  });
});

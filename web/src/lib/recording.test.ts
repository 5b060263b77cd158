import { afterEach, describe, expect, it, vi } from 'vitest';
import { stepsOf, unrecordable } from './recording.svelte';

describe('the waveform of a recording', () => {
  it('has 64 steps, the loudest of which is 100, and keeps a short loud moment', () => {
    const levels = Array.from({ length: 640 }, (_, at) => (at === 325 ? 40 : 4));
    const steps = stepsOf(levels);
    expect(steps).toHaveLength(64);
    expect(steps.indexOf(100)).toBe(32);
    expect(steps.filter((step) => step === 10)).toHaveLength(63);
  });

  it('is flat for silence and for what was too short to measure', () => {
    expect(new Set(stepsOf([0, 0, 0]))).toEqual(new Set([0]));
    expect(stepsOf([])).toHaveLength(64);
  });
});

describe('a browser', () => {
  afterEach(() => vi.unstubAllGlobals());

  const browser = (types: string[] | null, isSecure = true): void => {
    vi.stubGlobal('navigator', { mediaDevices: isSecure ? {} : undefined });
    vi.stubGlobal('MediaRecorder', types && { isTypeSupported: (type: string) => types.includes(type) });
  };

  it.each([
    ['Chrome', ['audio/webm;codecs=opus'], null],
    ['Safari before 18.4, which writes AAC', ['audio/mp4', 'audio/mp4;codecs=mp4a.40.2'], 'voice.no_opus'],
    ['an old one', null, 'voice.no_opus'],
  ])('says beforehand whether it can record: %s', (_, types, reason) => {
    browser(types);
    expect(unrecordable()).toBe(reason);
  });

  it('says that the page wants HTTPS, where that is why', () => {
    browser(['audio/webm;codecs=opus'], false);
    expect(unrecordable()).toBe('voice.insecure');
  });
});

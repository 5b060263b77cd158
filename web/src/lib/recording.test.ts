import { describe, expect, it } from 'vitest';
import { stepsOf } from './recording.svelte';

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

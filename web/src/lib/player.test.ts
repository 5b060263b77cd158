import { describe, expect, it, vi } from 'vitest';
import { player, type Sound } from './player.svelte';

const sound = (url: string): Sound => ({ url, name: 'Siti', seconds: 3, onplayed: vi.fn() });

/** An element that says in which order it was told, and plays what a test says it does. */
function element(): HTMLAudioElement & { told: string[] } {
  const audio = document.createElement('audio') as HTMLAudioElement & { told: string[] };
  audio.told = [];
  Object.defineProperty(audio, 'src', {
    set: (url: string) => audio.told.push(`${url} at ${audio.defaultPlaybackRate}`),
  });
  audio.play = () => Promise.resolve();
  return audio;
}

describe('player', () => {
  it('hears what comes next at the speed that is shown', async () => {
    const audio = element();
    const detach = player.attach(audio);
    await player.play(sound('/media/a'));
    player.faster();
    await player.play(sound('/media/b'));
    expect(audio.told).toEqual(['/media/a at 1', '/media/b at 1.5']);
    detach();
  });

  it('tells that something was played when it is heard, and loads anew what could not be', async () => {
    const audio = element();
    const detach = player.attach(audio);
    const broken = sound('/media/c');
    await player.play(broken);
    audio.onplay!(new Event('play'));
    Object.defineProperty(audio, 'error', { value: { code: 4 } });
    audio.dispatchEvent(new Event('error'));
    expect([player.playing, vi.mocked(broken.onplayed!).mock.calls.length]).toEqual([false, 0]);
    await player.play(broken);
    expect(audio.told).toHaveLength(2);
    audio.dispatchEvent(new Event('playing'));
    expect(broken.onplayed).toHaveBeenCalledOnce();
    detach();
  });
});

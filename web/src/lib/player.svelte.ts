/** What is heard: one thing at a time. It goes on while its bubble is scrolled away, or another chat is looked at. */

export interface Sound {
  url: string;
  /** Of whom it is, where it stays when its bubble goes; null: it ends with that. */
  name: string | null;
  seconds: number | null;
  onplayed?: (() => void) | undefined;
}

/** As WhatsApp offers them. */
const SPEEDS = [1, 1.5, 2];

class Player {
  sound = $state.raw<Sound | null>(null);
  playing = $state(false);
  position = $state(0);
  speed = $state(1);
  /** Its bubble is on the screen. */
  isSeen = $state(false);
  #length = $state(0);
  #audio: HTMLAudioElement | null = null;

  /** Whether what has this address is heard, or stands still at some place. */
  has(url: string | null): boolean {
    return url !== null && this.sound?.url === url;
  }

  /** In seconds; 0 where it is not known. */
  get length(): number {
    return this.#length > 0 && Number.isFinite(this.#length) ? this.#length : (this.sound?.seconds ?? 0);
  }

  /**
   * Is drawn by whoever shows conversations, until the result is called: without a place for its buttons nothing is heard.
   */
  attach(audio: HTMLAudioElement): () => void {
    this.#audio = audio;
    audio.onplay = () => (this.playing = true);
    // what can't be played was not heard
    audio.onplaying = () => this.sound?.onplayed?.();
    audio.onerror = audio.onpause = () => (this.playing = false);
    audio.ontimeupdate = () => (this.position = audio.currentTime);
    audio.ondurationchange = () => (this.#length = audio.duration);
    audio.onended = () => (this.position = audio.currentTime = 0);
    return () => {
      this.close();
      this.#audio = null;
    };
  }

  /** @throws NotSupportedError where the file is none, or a browser plays nothing so long after the finger */
  async play(sound: Sound): Promise<void> {
    this.#take(sound);
    await this.#audio?.play();
  }

  pause(): void {
    this.#audio?.pause();
  }

  /** @param at in seconds */
  seek(sound: Sound, at: number): void {
    this.#take(sound);
    if (this.#audio) this.position = this.#audio.currentTime = at;
  }

  faster(): void {
    this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length]!;
    if (this.#audio) this.#audio.playbackRate = this.speed;
  }

  close(): void {
    this.#audio?.pause();
    this.#audio?.removeAttribute('src');
    this.sound = null;
    this.playing = false;
  }

  #take(sound: Sound): void {
    if (!this.#audio || (this.has(sound.url) && !this.#audio.error)) return;
    this.sound = sound;
    this.position = this.#length = 0;
    // a new address begins at the usual speed
    this.#audio.defaultPlaybackRate = this.speed;
    this.#audio.src = sound.url;
  }
}

export const player = new Player();

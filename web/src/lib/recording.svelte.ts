/** A voice note being recorded with this computer's microphone. */
import type { MessageKey } from '../i18n/index.svelte';

/** Opus, in what this browser writes; the server makes Ogg of it. Safari before 18.4 writes AAC alone, which WhatsApp takes
 * for no voice note. */
const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus'];
/** Loudness is looked at so often; milliseconds. */
const STEP = 100;
/** Steps of a waveform, as WhatsApp draws it. */
const WAVEFORM_STEPS = 64;

/** Why nothing can be recorded in this browser, however it is asked; null where something can. */
export function unrecordable(): MessageKey | null {
  // browsers keep the microphone to themselves on pages without HTTPS
  if (!navigator.mediaDevices) return 'voice.insecure';
  return typeOf() === undefined ? 'voice.no_opus' : null;
}

function typeOf(): string | undefined {
  return TYPES.find((one) => globalThis.MediaRecorder?.isTypeSupported(one));
}

/** Levels in 64 equal parts, each as loud as its loudest moment; the loudest of all is 100. */
export function stepsOf(levels: readonly number[]): number[] {
  const loudest = Math.max(1, ...levels);
  return Array.from({ length: WAVEFORM_STEPS }, (_, step) => {
    const start = Math.floor((step * levels.length) / WAVEFORM_STEPS);
    const end = Math.max(start + 1, Math.floor(((step + 1) * levels.length) / WAVEFORM_STEPS));
    return Math.round((Math.max(0, ...levels.slice(start, end)) / loudest) * 100);
  });
}

export class Recording {
  state = $state<'asking' | 'recording' | 'done' | 'failed'>('asking');
  /** The person, or the browser for them, said no. */
  denied = $state(false);
  seconds = $state(0);
  /** From 0 to 100, one every tenth of a second. */
  levels = $state.raw<readonly number[]>([]);
  url = $state<string | null>(null);
  /** What was recorded, once it ends; null before it began. */
  #recorded: Promise<File> | null = null;
  #begun = false;
  #dropped = false;
  #recorder: MediaRecorder | null = null;
  #stream: MediaStream | null = null;
  #context: AudioContext | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Asks for the microphone and begins, once. */
  async start(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      this.denied = (error as DOMException).name === 'NotAllowedError';
      this.state = 'failed';
      return;
    }
    if (this.#dropped) return this.#release();
    const recorder = (this.#recorder = new MediaRecorder(this.#stream, { mimeType: typeOf() }));
    const parts: Blob[] = [];
    recorder.ondataavailable = (event) => parts.push(event.data);
    // by itself too, as when the microphone is pulled out
    this.#recorded = new Promise((end) => (recorder.onstop = () => end(this.#keep(recorder, parts))));
    this.#listen(this.#stream);
    recorder.start();
    this.state = 'recording';
  }

  #keep(recorder: MediaRecorder, parts: readonly Blob[]): File {
    this.#release();
    const [kind = ''] = recorder.mimeType.split(';');
    const file = new File([...parts], `voice.${kind.split('/')[1]}`, { type: kind });
    if (!this.#dropped) this.url = URL.createObjectURL(file);
    this.state = 'done';
    return file;
  }

  #listen(stream: MediaStream): void {
    this.#context = new AudioContext();
    const analyser = this.#context.createAnalyser();
    this.#context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const began = performance.now();
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
      // speech into a microphone seldom has more than a third of full power
      this.levels = [...this.levels, Math.min(100, Math.round(Math.sqrt(power) * 300))];
      this.seconds = (performance.now() - began) / 1000;
    }, STEP);
  }

  get hasSound(): boolean {
    return this.state === 'recording' || this.state === 'done';
  }

  /** The loudness in as many steps as a player draws, the loudest being 100. */
  get waveform(): number[] {
    return stepsOf(this.levels);
  }

  /** Ends it, however often it is asked to; null when nothing was recorded. */
  async finish(): Promise<File | null> {
    if (this.#recorder?.state === 'recording') this.#recorder.stop();
    return this.#recorded;
  }

  /** Lets go of microphone and preview; what was finished can still be sent. */
  drop(): void {
    this.#dropped = true;
    if (this.#recorder?.state === 'recording') this.#recorder.stop();
    this.#release();
    if (this.url) URL.revokeObjectURL(this.url);
  }

  #release(): void {
    clearInterval(this.#timer);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    void this.#context?.close();
    this.#context = null;
  }
}

/** A file somebody is about to send: it is uploaded while its caption is written, and says how far that is. */
import { requestKey } from '../api/client';
import { Problem } from '../api/problem';
import type { Transfer } from '../api/transfer';
import type { Upload } from '../api/types';
import { filmOf, type Film } from './film';
import { isPicture } from './pictures';
import { explain } from './toasts.svelte';
import { upload, type UploadKind } from './upload';

/** As WhatsApp: bytes of the largest document. */
export const LARGEST = 100 * 1024 * 1024;
/** What phones play; any other film goes as a document. */
const VIDEOS = new Set(['video/mp4', 'video/3gpp']);

export class Attachment {
  readonly key = requestKey();
  readonly file: File;
  readonly kind: UploadKind;
  /** An address of what is in it, for pictures, films and sounds. */
  readonly preview: string | null;
  caption = $state('');
  /** How much of it has left, from 0 to 1; null while it waits for its turn. */
  share = $state<number | null>(null);
  upload = $state.raw<Upload | null>(null);
  problem = $state.raw<unknown>(null);
  /** Of a video: how it looks, once that is known. */
  film = $state.raw<Film | null>(null);
  /** An address of what is shown of it while it stands still. */
  poster = $state.raw<string | null>(null);
  readonly #looked: Promise<void>;
  #running: Transfer<Upload> | null = null;
  #tries = 0;
  #dropped = false;

  /** Of a voice note: its loudness in 64 steps from 0 to 100. */
  readonly waveform: readonly number[] | null;

  constructor(file: File, kind: UploadKind = kindOf(file), waveform: readonly number[] | null = null) {
    this.file = file;
    this.waveform = waveform;
    this.kind = kind;
    this.preview = kind === 'document' ? null : URL.createObjectURL(file);
    if (kind === 'image') this.poster = this.preview;
    this.#looked = kind === 'video' ? this.#look(this.preview!) : Promise.resolve();
  }

  async #look(url: string): Promise<void> {
    this.film = await filmOf(url);
    if (this.film && !this.#dropped) this.poster = URL.createObjectURL(this.film.poster);
  }

  get failure(): string | null {
    return this.problem === null ? null : explain(this.problem);
  }

  /** It is not what it says to be, or not to be sent: another try ends as this one did. */
  get isRefused(): boolean {
    return this.problem instanceof Problem && !this.problem.mayPass;
  }

  /** The file on the server; begins anew after a failure. */
  async stored(): Promise<Upload> {
    if (this.upload) return this.upload;
    await this.#looked;
    if (this.#dropped) throw new Problem(0, 'cancelled');
    this.#running ??= this.#start();
    try {
      this.upload = await this.#running.done;
      return this.upload;
    } catch (error) {
      this.#running = null;
      this.problem = error;
      throw error;
    }
  }

  #start(): Transfer<Upload> {
    this.problem = null;
    this.share = null;
    const key = `${this.key}-file-${this.#tries++}`;
    return upload(this.file, this.kind, key, this.waveform, this.film, (share) => (this.share = share));
  }

  /** Ends the upload, if it still runs, and gives preview and poster back. */
  drop(): void {
    this.#dropped = true;
    if (!this.upload) this.#running?.cancel();
    for (const url of new Set([this.preview, this.poster])) if (url) URL.revokeObjectURL(url);
  }

  /** Begins to upload; what goes wrong is shown at the file. */
  begin(): void {
    this.stored().catch(() => undefined);
  }
}

/** How a file is sent when nobody says otherwise. */
export function kindOf(file: File): 'image' | 'video' | 'document' {
  if (isPicture(file)) return 'image';
  return VIDEOS.has(file.type) ? 'video' : 'document';
}

/** Why a file can't be sent at all, before anything is uploaded. */
export function tooLarge(file: File): boolean {
  return file.size > LARGEST;
}

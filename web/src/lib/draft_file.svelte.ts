/** The file of a message that is being written: its upload goes on while the person looks at another step. */
import type { SourceMessage } from '../api/types';
import { t } from '../i18n/index.svelte';
import { Attachment, kindOf } from './attachment.svelte';

interface Written {
  message: SourceMessage;
  touch: () => void;
}

export class DraftFile {
  /** What was chosen here; null also where the message has a file from before. */
  chosen = $state.raw<Attachment | null>(null);
  readonly #written: Written;

  constructor(written: Written) {
    this.#written = written;
  }

  /** What the message's file is called, or what it is; '' where there is none. */
  get name(): string {
    const { type = 'text', file_name } = this.#written.message;
    if (this.chosen !== null) return this.chosen.file.name;
    return type === 'text' ? '' : (file_name ?? t(`type.${type}`));
  }

  /** Why the message is not whole yet; null: it is. */
  get lacks(): 'uploading' | 'failed' | null {
    if (this.chosen === null || this.chosen.upload !== null) return null;
    return this.chosen.failure === null ? 'uploading' : 'failed';
  }

  /** Takes the place of the one before, in the message as soon as the server has it. */
  async choose(file: File): Promise<void> {
    this.drop();
    this.chosen = new Attachment(file);
    await this.take();
  }

  /** The message takes what was chosen once the server has it; begins anew after a failure. */
  async take(): Promise<void> {
    const { chosen } = this;
    try {
      const stored = await chosen?.stored();
      if (!chosen || !stored || this.chosen !== chosen) return;
      const { file } = chosen;
      const type = kindOf(file);
      const { text } = this.#written.message;
      const { media_id, media_url } = stored;
      this.#written.message = { type, text, media_id, media_url, file_name: type === 'document' ? file.name : null };
      this.#written.touch();
    } catch {
      // `lacks` says so
    }
  }

  /** The message is words alone. */
  remove(): void {
    this.drop();
    this.#written.message = { type: 'text', text: this.#written.message.text };
    this.#written.touch();
  }

  /** Ends the upload, if it still runs; what the message has by now it keeps. */
  drop(): void {
    this.chosen?.drop();
    this.chosen = null;
  }
}

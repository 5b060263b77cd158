/** Files on their way to a server that answers when a test says so. */
import { vi } from 'vitest';

/** One request, as far as it is used. */
class Request {
  readonly upload: { onprogress?: (event: object) => void } = {};
  status = 0;
  responseText = '';
  responseURL = '';
  isSent = false;
  isAborted = false;
  onload!: () => void;
  onerror!: () => void;

  open(_: string, path: string): void {
    this.responseURL = `http://localhost${path}`;
  }

  setRequestHeader(): void {}
  getResponseHeader(): null {
    return null;
  }

  send(): void {
    this.isSent = true;
  }

  abort(): void {
    this.isAborted = true;
  }

  /** A part of it has left. */
  goOn(share: number): void {
    this.upload.onprogress?.({ lengthComputable: true, loaded: share, total: 1 });
  }

  answer(body: unknown, status = 201): void {
    this.status = status;
    this.responseText = JSON.stringify(body);
    this.onload();
  }

  /** There is no network. */
  fail(): void {
    this.onerror();
  }
}

export class FakeUploads {
  /** Those that began, in their order. */
  readonly all: Request[] = [];

  constructor() {
    const { all } = this;
    vi.stubGlobal(
      'XMLHttpRequest',
      class extends Request {
        constructor() {
          super();
          all.push(this);
        }
      },
    );
  }

  at(index: number): Request {
    return this.all[index]!;
  }
}

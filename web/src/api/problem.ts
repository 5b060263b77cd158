/** An answer the API refused with (RFC 9457), or one that never came (`status` 0). */
export class Problem extends Error {
  readonly status: number;
  /** The last part of the problem's `type`, stable for programs; null when the answer had none. */
  readonly kind: string | null;
  /** Seconds to wait before trying again, when the server says so. */
  readonly retryAfter: number | null;

  constructor(status: number, detail: string, retryAfter: number | null = null, kind: string | null = null) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.retryAfter = retryAfter;
    this.kind = kind;
  }

  /** No answer came, or one of a server that is busy or starting: the same request may succeed later. */
  get mayPass(): boolean {
    const waits = this.status === 409 && this.retryAfter !== null;
    return this.status === 0 || this.status === 429 || this.status >= 500 || waits;
  }

  static from(response: Response, body: unknown): Problem {
    const fields = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
    const text = [fields['detail'], fields['title']].find((value) => typeof value === 'string' && value !== '');
    const header = Number(response.headers.get('retry-after') ?? Number.NaN);
    const seconds = typeof fields['retry_after'] === 'number' ? fields['retry_after'] : header;
    return new Problem(
      response.status,
      String(text ?? `HTTP ${response.status}`),
      Number.isFinite(seconds) ? seconds : null,
      String(fields['type'] ?? '').match(/^urn:wafast:problem:(.+)$/u)?.[1] ?? null,
    );
  }
}

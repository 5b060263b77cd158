/** An answer the API refused with (RFC 9457), or one that never came (`status` 0). */
export class Problem extends Error {
  readonly status: number;
  /** Seconds to wait before trying again, when the server says so. */
  readonly retryAfter: number | null;

  constructor(status: number, detail: string, retryAfter: number | null = null) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.retryAfter = retryAfter;
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
    );
  }
}

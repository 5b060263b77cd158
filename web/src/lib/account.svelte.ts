/** Who is signed in, and the workspace being looked at. */
import { api, data, onSignedOut } from '../api/client';
import { Problem } from '../api/problem';
import type { Session } from '../api/types';
import { language, type Language } from '../i18n/index.svelte';
import { forgetDrafts } from './drafts';
import { Latest } from './latest';

/** Written at every change of the login: tabs share its cookie, and `storage` events tell the others. */
const CHANGED = 'wafast.login';

export type AccountState = 'loading' | 'in' | 'out' | 'unreachable';

class Account {
  state = $state<AccountState>('loading');
  session = $state.raw<Session | null>(null);
  /** Until the next change of the login here, before and after it: what was asked for meanwhile may be older. */
  readonly #unchanged = new Latest();
  /** The session that is known last: the words of an older one may come late. */
  readonly #sessions = new Latest();

  constructor() {
    onSignedOut(() => void this.#set(null));
  }

  get role(): Session['user']['role'] {
    return this.session?.user.role ?? 'viewer';
  }

  get zone(): string {
    return this.session?.time_zone ?? 'Asia/Kuala_Lumpur';
  }

  /** Days without a message after which a chat is in no list. */
  get chatDays(): number {
    return this.session?.chat_days ?? Infinity;
  }

  /**
   * Whether keys do something by themselves beside the fields: `/`, `?`, the letters that go to the composer. They can be
   * switched off (WCAG 2.1.4), as who dictates says letters all the time.
   */
  get singleKeys(): boolean {
    return this.session?.single_keys ?? true;
  }

  get isAdmin(): boolean {
    return this.role === 'admin';
  }

  /** Shown in its language from the first moment. */
  async #set(session: Session | null): Promise<void> {
    const isLast = this.#sessions.ask();
    if (session?.language && session.language !== language.current) await language.use(session.language);
    if (!isLast()) return;
    this.session = session;
    this.state = session ? 'in' : 'out';
  }

  /** Asks who this browser is; a lost login leads to the sign-in page, an unreachable server keeps what is shown. */
  async check(): Promise<void> {
    const isWanted = this.#unchanged.current();
    try {
      const session = await data(api.GET('/api/v1/session'));
      if (isWanted()) await this.#set(session);
    } catch (error) {
      if (!isWanted()) return;
      if (error instanceof Problem && error.status === 401) await this.#set(null);
      else if (this.session === null) this.state = 'unreachable';
    }
  }

  /** @throws Problem 401 for wrong words, 429 with `retryAfter` when throttled */
  async signIn(email: string, password: string): Promise<void> {
    await this.#set(await this.#changing(api.POST('/api/v1/session', { body: { email, password } })));
    this.#tellOtherTabs();
  }

  async signOut(): Promise<void> {
    await this.#changing(api.DELETE('/api/v1/session'));
    forgetDrafts();
    await this.#set(null);
    this.#tellOtherTabs();
  }

  /** @throws Problem 404 for a workspace that is not this person's, 400 for a zone that is none */
  async change(wanted: {
    tenant_id?: string;
    time_zone?: string | null;
    language?: Language;
    single_keys?: boolean;
  }): Promise<void> {
    await this.#set(await this.#changing(api.PATCH('/api/v1/session', { body: wanted })));
    this.#tellOtherTabs();
  }

  async #changing<T>(call: Parameters<typeof data<T>>[0]): Promise<T> {
    this.#unchanged.drop();
    try {
      return await data(call);
    } finally {
      this.#unchanged.drop();
    }
  }

  #tellOtherTabs(): void {
    localStorage.setItem(CHANGED, String(Date.now()));
  }

  /** Another tab signed in or out or switched the workspace: this one follows. */
  noticeOtherTab(event: StorageEvent): void {
    if (event.key === CHANGED) void this.check();
  }

  /** @throws Problem 401 or 400 when the current password is not right */
  async changePassword(current: string, next: string): Promise<void> {
    await data(api.POST('/api/v1/session/password', { body: { current, new: next } }));
  }
}

export const account = new Account();

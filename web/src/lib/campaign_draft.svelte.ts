/** A campaign that is being written: saved by itself a moment after each change. */
import { api, data, requestKey } from '../api/client';
import { Problem } from '../api/problem';
import type {
  Campaign,
  CampaignEstimate,
  CampaignFields,
  CampaignSchedule,
  LeadFilter,
  SourceMessage,
  SourcePace,
} from '../api/types';
import { amount, t } from '../i18n/index.svelte';
import { differs, FIELDS, only, type Field, type Written } from './campaign_fields';
import { hasBegun } from './campaigns';
import { isDeleted, type Frame } from './frames';
import { Latest } from './latest';
import type { Live } from './live.svelte';
import { DraftFile } from './draft_file.svelte';
import { mistakeIn, type PacingDraft } from './pacing';

/** Milliseconds after the last key. */
const SAVE_AFTER = 700;
const COUNT_AFTER = 250;
/** After an answer that did not come. */
const AGAIN_AFTER = 3000;
/** After a device came or went, or a lead changed: many do so at once. */
const RECOUNT_AFTER = 2000;

/** The two ends of a gap while they are typed: null is an empty field. */
export type TypedGaps = Pick<PacingDraft, 'min_seconds' | 'max_seconds'>;

export const EVERY_DAY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export class CampaignDraft {
  id = $state<string | null>(null);
  name = $state('');
  audience = $state.raw<LeadFilter>({});
  message = $state.raw<SourceMessage>({ type: 'text', text: '' });
  readonly file = new DraftFile(this);
  pace = $state.raw<SourcePace>({ min_seconds: 10, max_seconds: 30, days: [...EVERY_DAY] });
  /** As they are typed; `pace` has the last that could be. */
  gaps = $state.raw<TypedGaps>({ min_seconds: 10, max_seconds: 30 });
  deviceIds = $state.raw<string[] | null>(null);
  mayMove = $state(false);
  expiresAt = $state<string | null>(null);
  /** What the last step will ask for; null: as soon as a person says so. */
  schedule = $state.raw<CampaignSchedule | null>(null);
  /** What somebody made of it elsewhere: it can't be written any more. */
  became = $state<'begun' | 'gone' | null>(null);
  /** Whether it begins by itself as it is stored: until the first change, which makes it a draft. */
  scheduled = $state<'no' | 'yes' | 'not any more'>('no');

  saving = $state(false);
  saved = $state(false);
  problem = $state.raw<unknown>(null);
  estimate = $state.raw<CampaignEstimate | null>(null);
  counting = $state(false);
  countProblem = $state.raw<unknown>(null);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #counter: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | null = null;
  #dirty = false;
  #isLeft = false;
  readonly #counts = new Latest();
  #key = requestKey();
  /** All of it is to be stored, also what was not changed here. */
  #whole = false;
  /** As the server had it last, in its words and in those of this page. */
  #stored: Campaign | null = null;
  #agreed: Written | null = null;
  /** Until the next answer to a save: what was asked for before it may be older. */
  readonly #unsaved = new Latest();
  readonly #looks = new Latest();
  #recounter: ReturnType<typeof setTimeout> | undefined;
  /** What a new one was first asked to be, until the server has said yes or no. */
  #first: CampaignFields | null = null;
  readonly #fallbackName: () => string;

  constructor(fallbackName: () => string) {
    this.#fallbackName = fallbackName;
  }

  /** Takes what is stored. */
  put(campaign: Campaign): void {
    this.id = campaign.id;
    for (const one of FIELDS) this.#put[one](campaign);
    this.scheduled = campaign.state === 'scheduled' ? 'yes' : 'no';
    this.saved = true;
    this.#stored = campaign;
    this.#agreed = this.#fields();
  }

  /** Follows what others make of it, and who can send and be written to, until the result is called. */
  follow(live: Live): () => void {
    return live.subscribe((frame) => this.#hear(frame));
  }

  #hear(frame: Frame): void {
    if (frame.code.startsWith('DEVICE_') || frame.code === 'LEAD_UPDATE' || frame.code === 'RESYNC') this.#recount();
    if (frame.code === 'RESYNC') void this.#look();
    if (frame.code !== 'CAMPAIGN_UPDATE' || frame.result.id !== this.id) return;
    if (isDeleted(frame.result)) this.#end('gone');
    else if (hasBegun(frame.result)) this.#end('begun');
    else if (this.#isOther(frame.result)) void this.#look();
  }

  #end(became: 'begun' | 'gone'): void {
    this.became = became;
    clearTimeout(this.#timer);
  }

  /** Asks what it is now: a frame may be older than the last answer to a save, and what is asked before one is, too. */
  async #look(): Promise<void> {
    const isNewest = this.#looks.ask();
    await this.#running;
    if (this.id === null || !isNewest()) return;
    const isOfThis = this.#unsaved.current();
    try {
      const params = { path: { campaign_id: this.id } };
      const found = await data(api.GET('/api/v1/campaigns/{campaign_id}', { params }));
      if (!isNewest()) return;
      if (!isOfThis() || this.#running) return void this.#look();
      if (hasBegun(found)) return this.#end('begun');
      if (found.state === 'scheduled') this.scheduled = 'yes';
      else if (this.scheduled === 'yes') this.scheduled = 'no';
      this.#take(found, []);
    } catch (error) {
      if (isOfThis() && error instanceof Problem && error.status === 404) this.#end('gone');
    }
  }

  #isOther(found: Campaign): boolean {
    const isScheduled = this.scheduled === 'yes';
    return isScheduled !== (found.state === 'scheduled') || FIELDS.some((one) => differs(found, this.#stored, one));
  }

  /** Takes what somebody else has changed, but for what is being changed here, and what was stored from here just now. */
  #take(found: Campaign, own: readonly Field[]): void {
    const here = this.#fields();
    const isTaken = (one: Field): boolean => differs(found, this.#stored, one) && !differs(here, this.#agreed, one);
    const taken = FIELDS.filter((one) => !own.includes(one) && isTaken(one));
    this.#stored = found;
    for (const one of taken) this.#put[one](found);
    this.#agreed = { ...here, ...this.#agreed, ...only(this.#fields(), taken) };
    if (taken.some((one) => one === 'audience' || one === 'pace' || one === 'device_ids')) this.count();
  }

  readonly #put: Record<Field, (from: Campaign) => void> = {
    name: ({ name }) => (this.name = name),
    audience: ({ audience }) => (this.audience = audience),
    message: ({ message }) => {
      if (message.media_id !== this.message.media_id) this.file.drop();
      this.message = message;
    },
    pace: ({ pace }) => {
      this.pace = pace;
      if (!this.lacksGaps) this.gaps = { min_seconds: pace.min_seconds, max_seconds: pace.max_seconds };
    },
    device_ids: ({ device_ids }) => (this.deviceIds = device_ids),
    may_move: ({ may_move }) => (this.mayMove = may_move),
    expires_at: ({ expires_at }) => (this.expiresAt = expires_at),
    schedule: ({ schedule }) => (this.schedule = schedule),
  };

  /** Keeps what is written here as another campaign, of which nothing is stored yet. */
  async renew(): Promise<boolean> {
    [this.id, this.became, this.#stored, this.#agreed, this.#first] = [null, null, null, null, null];
    this.#key = requestKey();
    this.#unsaved.drop();
    this.scheduled = 'no';
    return this.confirm();
  }

  /** What is wrong with an end of the gap as it is typed; '' when nothing is. */
  gapMistake(end: keyof TypedGaps): string {
    const { min_seconds: shortest, max_seconds: longest } = this.gaps;
    const mistake = mistakeIn(end, this.gaps[end]);
    if (mistake !== '' || end === 'min_seconds') return mistake;
    if (shortest !== null && longest !== null && longest < shortest)
      return t('pacing.upside_down', { value: amount(longest), least: amount(shortest) });
    return '';
  }

  /** Whether the pace is another than what is typed, as that can't be one. */
  get lacksGaps(): boolean {
    return this.gapMistake('min_seconds') !== '' || this.gapMistake('max_seconds') !== '';
  }

  /** What is typed into an end of the gap: half a number stays as it is, and becomes the pace when it can be one. */
  typeGap(end: keyof TypedGaps, value: number | null): void {
    this.gaps = { ...this.gaps, [end]: value };
    const { min_seconds, max_seconds } = this.gaps;
    if (this.lacksGaps || min_seconds === null || max_seconds === null) return;
    this.pace = { ...this.pace, min_seconds, max_seconds };
    this.count();
    this.touch();
  }

  /** To be called after every change of a field. */
  touch(): void {
    this.#dirty = true;
    this.saved = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.save(), SAVE_AFTER);
  }

  /** Counts the audience again, in a moment. */
  count(): void {
    this.counting = true;
    this.#counts.drop(); // what is on its way was counted for something else
    clearTimeout(this.#counter);
    this.#counter = setTimeout(() => void this.#count(), COUNT_AFTER);
  }

  #recount(): void {
    if (this.estimate === null) return;
    this.#recounter ??= setTimeout(() => {
      this.#recounter = undefined;
      this.count();
    }, RECOUNT_AFTER);
  }

  async #count(): Promise<void> {
    const isWanted = this.#counts.current();
    const body = { audience: this.audience, pace: this.pace, device_ids: this.deviceIds, schedule: this.schedule };
    try {
      const estimate = await data(api.POST('/api/v1/campaigns/preview', { body }));
      if (!isWanted()) return;
      this.estimate = estimate;
      this.countProblem = null;
    } catch (error) {
      if (isWanted()) this.countProblem = error;
    } finally {
      if (isWanted()) this.counting = false;
    }
  }

  /** Whether all is on the server then; `problem` says why not. */
  async save(): Promise<boolean> {
    clearTimeout(this.#timer);
    while ((this.#dirty || this.#running) && this.became === null) {
      this.#running ??= this.#send().finally(() => (this.#running = null));
      await this.#running;
      if (this.problem !== null) return false;
    }
    return this.problem === null && this.became === null;
  }

  /** Stores what is shown here, also when nothing was changed: another browser may have stored something else. */
  async confirm(): Promise<boolean> {
    this.#whole = true;
    this.touch();
    return this.save();
  }

  /** Stores what is not stored yet, and nothing else: one that is only looked at keeps its beginning. */
  async store(): Promise<boolean> {
    return this.id === null ? this.confirm() : this.save();
  }

  #fields(): Required<Written> {
    const { media_url: _, ...message } = this.message;
    return {
      name: this.name.trim() || this.#fallbackName(),
      audience: this.audience,
      message,
      pace: this.pace,
      device_ids: this.deviceIds,
      may_move: this.mayMove,
      expires_at: this.expiresAt,
      schedule: this.schedule,
    };
  }

  async #send(): Promise<void> {
    this.saving = true;
    this.#dirty = false;
    const [fields, isWhole] = [this.#fields(), this.#whole];
    this.#whole = false;
    // what another browser has changed meanwhile stays, unless it is changed here
    const changed = isWhole ? [...FIELDS] : FIELDS.filter((one) => differs(fields, this.#agreed, one));
    // half a change must not begin by itself: the last step says so
    const body = { ...fields, draft: true };
    try {
      const isNew = this.id === null && this.#first === null;
      if (this.id === null) {
        this.#stored = await this.#create(body);
        this.id = this.#stored.id;
        this.#unsaved.drop();
      }
      if (isNew) this.#agreed = fields;
      else if (changed.length > 0) await this.#change(this.id, fields, changed);
      this.problem = null;
      this.saved = !this.#dirty;
    } catch (error) {
      this.problem = error;
      this.#dirty = true;
      this.#whole ||= isWhole;
      if (error instanceof Problem && !error.mayPass) void this.#look();
      if (this.#mayPass && !this.#isLeft) this.#timer = setTimeout(() => void this.save(), AGAIN_AFTER);
    } finally {
      this.saving = false;
    }
  }

  async #change(id: string, fields: Written, changed: readonly Field[]): Promise<void> {
    const [params, body] = [{ path: { campaign_id: id } }, { ...only(fields, changed), draft: true }];
    const found = await data(api.PATCH('/api/v1/campaigns/{campaign_id}', { params, body }));
    this.#unsaved.drop();
    this.#agreed = { ...fields, ...this.#agreed, ...only(fields, changed) };
    if (this.scheduled === 'yes') this.scheduled = 'not any more';
    this.#take(found, changed);
  }

  /** Once: what got no answer may be stored, so the same is asked again, and what was typed since is a change of it. */
  async #create(body: CampaignFields): Promise<Campaign> {
    this.#first ??= body;
    const params = { header: { 'Idempotency-Key': this.#key } };
    try {
      return await data(api.POST('/api/v1/campaigns', { params, body: this.#first }));
    } catch (error) {
      if (error instanceof Problem && !error.mayPass) this.#first = null; // refused: nothing is stored
      throw error;
    }
  }

  /** Whether what could not be saved may be saved later as it is. */
  get #mayPass(): boolean {
    return this.problem instanceof Problem && this.problem.mayPass;
  }

  /** Ends the timers and the upload; what is not saved yet is. */
  leave(): void {
    this.file.drop();
    clearTimeout(this.#counter);
    clearTimeout(this.#recounter);
    this.#isLeft = true;
    // once, as this may be opened anew by then
    if (this.#dirty && (this.problem === null || this.#mayPass)) void this.save();
  }
}

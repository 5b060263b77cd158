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
import { MessageFile } from './message_file.svelte';
import { mistakeIn, type PacingDraft } from './pacing';

/** Milliseconds after the last key. */
const SAVE_AFTER = 700;
const COUNT_AFTER = 250;
/** After an answer that did not come. */
const AGAIN_AFTER = 3000;

/** The two ends of a gap while they are typed: null is an empty field. */
export type TypedGaps = Pick<PacingDraft, 'min_seconds' | 'max_seconds'>;

export const EVERY_DAY = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export class CampaignDraft {
  id = $state<string | null>(null);
  name = $state('');
  audience = $state.raw<LeadFilter>({});
  message = $state.raw<SourceMessage>({ type: 'text', text: '' });
  readonly file = new MessageFile(this);
  pace = $state.raw<SourcePace>({ min_seconds: 10, max_seconds: 30, days: [...EVERY_DAY] });
  /** As they are typed; `pace` has the last that could be. */
  gaps = $state.raw<TypedGaps>({ min_seconds: 10, max_seconds: 30 });
  deviceIds = $state.raw<string[] | null>(null);
  mayMove = $state(false);
  expiresAt = $state<string | null>(null);
  /** What the last step will ask for; null: as soon as a person says so. */
  schedule = $state.raw<CampaignSchedule | null>(null);
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
  #asked = 0;
  readonly #key = requestKey();
  /** What a new one was first asked to be, until the server has said yes or no. */
  #first: CampaignFields | null = null;
  readonly #fallbackName: () => string;

  constructor(fallbackName: () => string) {
    this.#fallbackName = fallbackName;
  }

  /** Takes what is stored. */
  put(campaign: Campaign): void {
    this.id = campaign.id;
    this.name = campaign.name;
    this.audience = campaign.audience;
    this.message = campaign.message;
    this.pace = campaign.pace;
    this.gaps = { min_seconds: campaign.pace.min_seconds, max_seconds: campaign.pace.max_seconds };
    this.deviceIds = campaign.device_ids;
    this.mayMove = campaign.may_move;
    this.expiresAt = campaign.expires_at;
    this.schedule = campaign.schedule;
    this.scheduled = campaign.state === 'scheduled' ? 'yes' : 'no';
    this.saved = true;
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
    this.#asked += 1; // what is on its way was counted for something else
    clearTimeout(this.#counter);
    this.#counter = setTimeout(() => void this.#count(), COUNT_AFTER);
  }

  async #count(): Promise<void> {
    const run = this.#asked;
    const body = { audience: this.audience, pace: this.pace, device_ids: this.deviceIds, schedule: this.schedule };
    try {
      const estimate = await data(api.POST('/api/v1/campaigns/preview', { body }));
      if (run !== this.#asked) return;
      this.estimate = estimate;
      this.countProblem = null;
    } catch (error) {
      if (run === this.#asked) this.countProblem = error;
    } finally {
      if (run === this.#asked) this.counting = false;
    }
  }

  /** Whether all is on the server then; `problem` says why not. */
  async save(): Promise<boolean> {
    clearTimeout(this.#timer);
    while (this.#dirty || this.#running) {
      this.#running ??= this.#send().finally(() => (this.#running = null));
      await this.#running;
      if (this.problem !== null) return false;
    }
    return this.problem === null;
  }

  /** Stores what is shown here, also when nothing was changed: another browser may have stored something else. */
  async confirm(): Promise<boolean> {
    this.touch();
    return this.save();
  }

  /** Stores what is not stored yet, and nothing else: one that is only looked at keeps its beginning. */
  async store(): Promise<boolean> {
    return this.id === null ? this.confirm() : this.save();
  }

  async #send(): Promise<void> {
    this.saving = true;
    this.#dirty = false;
    const { media_url: _, ...message } = this.message;
    const body = {
      name: this.name.trim() || this.#fallbackName(),
      audience: this.audience,
      message,
      pace: this.pace,
      device_ids: this.deviceIds,
      may_move: this.mayMove,
      expires_at: this.expiresAt,
      schedule: this.schedule,
      // half a change must not begin by itself: the last step says so
      draft: true,
    };
    try {
      const isNew = this.id === null && this.#first === null;
      this.id ??= await this.#create(body);
      const params = { path: { campaign_id: this.id } };
      if (!isNew) await data(api.PATCH('/api/v1/campaigns/{campaign_id}', { params, body }));
      if (this.scheduled === 'yes') this.scheduled = 'not any more';
      this.problem = null;
      this.saved = !this.#dirty;
    } catch (error) {
      this.problem = error;
      this.#dirty = true;
      if (this.#mayPass && !this.#isLeft) this.#timer = setTimeout(() => void this.save(), AGAIN_AFTER);
    } finally {
      this.saving = false;
    }
  }

  /** Once: what got no answer may be stored, so the same is asked again, and what was typed since is a change of it. */
  async #create(body: CampaignFields): Promise<string> {
    this.#first ??= body;
    const params = { header: { 'Idempotency-Key': this.#key } };
    try {
      return (await data(api.POST('/api/v1/campaigns', { params, body: this.#first }))).id;
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
    this.#isLeft = true;
    // once, as this may be opened anew by then
    if (this.#dirty && (this.problem === null || this.#mayPass)) void this.save();
  }
}

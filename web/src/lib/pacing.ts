/** The pace of one line, or of many: what a form shows of it, and what it changes. */
import type { Device, Pacing, PacingChange } from '../api/types';
import { amount, t, told } from '../i18n/index.svelte';

/** Until when WhatsApp holds a line, and why, where the language has words for that. */
export function held(time: string, device: Pick<Device, 'pause_cause' | 'pause_reason'>): string {
  const why = told(device.pause_cause, device.pause_reason);
  return why === null ? t('composer.paused', { time }) : t('pacing.paused', { time, reason: why });
}

const LIMITS = {
  min_seconds: [0, 86_400],
  max_seconds: [0, 86_400],
  per_hour: [1, 100_000],
  per_day: [1, 1_000_000],
} as const;
export type NumberField = keyof typeof LIMITS;
export type SwitchField = 'typing' | 'ramp';
const NUMBERS = Object.keys(LIMITS) as NumberField[];
const SWITCHES: readonly SwitchField[] = ['typing', 'ramp'];

/** What stands in the form. `null`: the lines differ in it, and stay as they are. */
export interface PacingDraft extends Record<NumberField, number | null>, Record<SwitchField, boolean | null> {
  quiet: boolean | null;
  quiet_from: string;
  quiet_until: string;
}

export type Mistakes = Partial<Record<NumberField | 'quiet_until', string>>;

/** @param paces at least one */
export function draftOf(paces: readonly Pacing[]): PacingDraft {
  const common = <Field extends keyof Pacing>(field: Field): Pacing[Field] | null =>
    paces.every((pace) => pace[field] === paces[0]![field]) ? paces[0]![field] : null;
  const [quiet_from, quiet_until] = [common('quiet_from'), common('quiet_until')];
  const isQuiet = quiet_from !== null && quiet_until !== null;
  return {
    min_seconds: common('min_seconds'),
    max_seconds: common('max_seconds'),
    per_hour: common('per_hour'),
    per_day: common('per_day'),
    typing: common('typing'),
    ramp: common('ramp'),
    quiet: isQuiet ? true : paces.every((pace) => pace.quiet_from === null) ? false : null,
    quiet_from: isQuiet ? quiet_from! : '21:00',
    quiet_until: isQuiet ? quiet_until! : '08:00',
  };
}

/** What is wrong with a number by itself; '' when nothing is. */
export function mistakeIn(field: NumberField, value: number | null): string {
  if (value === null) return t('pacing.missing');
  const [least, most] = LIMITS[field];
  if (!(value >= least && value <= most))
    return t('pacing.outside', { value: amount(value), least: amount(least), most: amount(most) });
  if (field.startsWith('per_') && !Number.isInteger(value)) return t('pacing.not_whole', { value: amount(value) });
  return '';
}

/** What of the draft differs from what it began with, and what of it can't be. */
export function changeOf(draft: PacingDraft, begun: PacingDraft): { change: PacingChange; mistakes: Mistakes } {
  const change: PacingChange = {};
  const mistakes: Mistakes = {};
  for (const field of NUMBERS) {
    const value = draft[field];
    if (value === begun[field]) continue;
    const mistake = mistakeIn(field, value);
    if (mistake !== '') mistakes[field] = mistake;
    else change[field] = value!;
  }
  pairGap(draft, change, mistakes);
  for (const field of SWITCHES)
    if (draft[field] !== null && draft[field] !== begun[field]) change[field] = draft[field];
  if (draft.quiet === false && begun.quiet !== false) Object.assign(change, { quiet_from: null, quiet_until: null });
  if (draft.quiet === true) {
    const { quiet_from, quiet_until } = draft;
    if (quiet_from === '' || quiet_until === '') mistakes.quiet_until = t('pacing.quiet_missing');
    else if (quiet_from === quiet_until) mistakes.quiet_until = t('pacing.quiet_same', { value: quiet_from });
    else if (begun.quiet !== true || quiet_from !== begun.quiet_from || quiet_until !== begun.quiet_until)
      Object.assign(change, { quiet_from, quiet_until });
  }
  return { change, mistakes };
}

/** Shortest and longest gap make sense together only. */
function pairGap(draft: PacingDraft, change: PacingChange, mistakes: Mistakes): void {
  if (change.min_seconds === undefined && change.max_seconds === undefined) return;
  const { min_seconds, max_seconds } = draft;
  if (min_seconds === null) mistakes.min_seconds = t('pacing.both');
  else if (max_seconds === null) mistakes.max_seconds = t('pacing.both');
  else if (max_seconds < min_seconds)
    mistakes.max_seconds = t('pacing.upside_down', { value: amount(max_seconds), least: amount(min_seconds) });
  else Object.assign(change, { min_seconds, max_seconds });
}

/** The values a line had of what is changed. */
export function before(pace: Pacing, change: PacingChange): PacingChange {
  return Object.fromEntries(Object.keys(change).map((field) => [field, pace[field as keyof Pacing]]));
}

/** Lines with what each had, in as few groups as there were paces. */
export function restoring(
  ids: readonly string[],
  change: PacingChange,
  paces: ReadonlyMap<string, Pacing>,
): { ids: string[]; pacing: PacingChange }[] {
  const groups = new Map<string, { ids: string[]; pacing: PacingChange }>();
  for (const id of ids) {
    const pace = paces.get(id);
    if (!pace) continue;
    const pacing = before(pace, change);
    const key = JSON.stringify(pacing);
    const group = groups.get(key);
    if (group) group.ids.push(id);
    else groups.set(key, { ids: [id], pacing });
  }
  return [...groups.values()];
}

/** One action on many devices, a part after the other: how far it is can be seen, and it can be stopped. */
import { api, data, requestKey } from '../api/client';
import type { ChangedDevices, Skipped } from '../api/types';

export type BulkAction = Exclude<ChangedDevices['action'], 'logout'>;

/** What takes an action back; a deleted device stays deleted. */
const OPPOSITE: Record<Exclude<BulkAction, 'delete'>, BulkAction> = {
  connect: 'disconnect',
  disconnect: 'connect',
  add_tags: 'remove_tags',
  remove_tags: 'add_tags',
};

/** Devices a request. Deleting one with many messages takes a while, and the bar should move. */
const AT_ONCE = { delete: 25, others: 500 };

export interface Step {
  action: BulkAction;
  ids: string[];
  /** One tag, or none: so that taking it back takes away no tag that was there before. */
  tag: string | null;
}

export interface Outcome {
  action: BulkAction;
  changed: ReadonlySet<string>;
  unchanged: number;
  skipped: readonly Skipped[];
  /** How many it was not, or not wholly, tried on: a person stopped it, or a request failed with `problem`. */
  left: number;
  problem: unknown;
  /** What would take it back; empty where nothing can or need be. */
  undo: readonly Step[];
}

/** The steps of an action: one, or one for each tag. */
export function steps(action: BulkAction, ids: readonly string[], tags: readonly string[] = []): Step[] {
  const each = action === 'add_tags' || action === 'remove_tags' ? tags : [null];
  return each.map((tag) => ({ action, ids: [...ids], tag }));
}

export class Bulk {
  running = $state.raw<{ action: BulkAction; done: number; of: number } | null>(null);
  #stopped = false;

  /** Ends the run after the request that is under way. */
  stop(): void {
    this.#stopped = true;
  }

  /** Does the steps, all of one action. Never throws: what failed is told with what was done. */
  async run(planned: readonly Step[]): Promise<Outcome> {
    const action = planned[0]!.action;
    const devices = new Set(planned.flatMap((step) => step.ids));
    const changed = new Set<string>();
    const undo: Step[] = [];
    const skipped = new Map<string, Skipped>();
    const todo = parts(planned);
    let problem: unknown = null;
    this.#stopped = false;
    this.#show(action, todo, devices);
    try {
      while (todo.length > 0 && !this.#stopped) {
        const { part, tag } = todo[0]!;
        const answer = await ask(action, part, tag);
        for (const id of answer.changed) changed.add(id);
        for (const one of answer.skipped) skipped.set(one.device_id, one);
        if (action !== 'delete' && answer.changed.length > 0)
          undo.push({ action: OPPOSITE[action], ids: answer.changed, tag });
        todo.shift();
        this.#show(action, todo, devices);
      }
    } catch (error) {
      problem = error;
    } finally {
      this.running = null;
    }
    const left = untried(todo);
    const unchanged = [...devices].filter((id) => !changed.has(id) && !skipped.has(id) && !left.has(id)).length;
    return { action, changed, unchanged, skipped: [...skipped.values()], left: left.size, problem, undo };
  }

  #show(action: BulkAction, todo: readonly Part[], devices: ReadonlySet<string>): void {
    this.running = { action, done: devices.size - untried(todo).size, of: devices.size };
  }
}

interface Part {
  part: string[];
  tag: string | null;
}

/** Devices with something still to do. */
function untried(todo: readonly Part[]): Set<string> {
  return new Set(todo.flatMap(({ part }) => part));
}

function parts(planned: readonly Step[]): Part[] {
  return planned.flatMap(({ action, ids, tag }) => {
    const size = action === 'delete' ? AT_ONCE.delete : AT_ONCE.others;
    const starts = Array.from({ length: Math.ceil(ids.length / size) }, (_, part) => part * size);
    return starts.map((start) => ({ part: ids.slice(start, start + size), tag }));
  });
}

function ask(action: BulkAction, ids: string[], tag: string | null): Promise<ChangedDevices> {
  const params = { header: { 'Idempotency-Key': requestKey() } };
  const body = { action, device_ids: ids, ...(tag === null ? {} : { tags: [tag] }) };
  return data(api.POST('/api/v1/devices/bulk', { params, body }));
}

/**
 * What lies over the page (a dialog, a picture, a sheet) has an entry in the browser's history: Back closes the topmost
 * and leaves the page where it is, as people expect on a phone.
 *
 * Where it is closed in another way its entry stays, since going back from it could cross a navigation that began with the
 * closing: the next layer takes it, and Back passes over it.
 */
import { tick, untrack } from 'svelte';

interface Layer {
  close: () => void;
  /** How many entries of layers lie under it and are its own. */
  depth: number;
}

/** The topmost last. */
const layers: Layer[] = [];
/** The entry the browser is at, as far as it was seen. */
let here = entry();

function entry(): { depth: number; href: string } {
  return { depth: Number(history.state?.layer ?? 0), href: location.href };
}

function top(): number {
  return layers.at(-1)?.depth ?? 0;
}

/** An entry above all that are in use: one that was left, or a new one. */
function deepen(): number {
  here = entry();
  if (here.depth <= top()) {
    history.pushState({ ...history.state, layer: here.depth + 1 }, '');
    here = entry();
  }
  return here.depth;
}

async function moved(): Promise<void> {
  const left = here;
  here = entry();
  const last = layers.at(-1);
  if (last && last.depth > here.depth) {
    last.close();
    await tick();
    // one that asks first is open still, and Back is for it again
    for (const layer of layers) if (layer.depth > entry().depth) layer.depth = deepen();
  } else if (left.href === here.href && left.depth > here.depth && left.depth > top()) history.back();
}

addEventListener('popstate', () => void moved());

/** Made while a component is: as long as it is open Back closes it. */
export function closedByBack(isOpen: () => boolean, close: () => void): void {
  $effect(() => {
    if (!isOpen()) return;
    const layer = { close, depth: untrack(deepen) };
    layers.push(layer);
    return () => void layers.splice(layers.indexOf(layer), 1);
  });
}

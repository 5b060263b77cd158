/** What is known of a film before anybody plays it, by playing its beginning out of sight. */

/** Milliseconds a browser may take; a film it can't play has no poster. */
const PATIENCE = 5000;
/** Seconds into the film: many begin black. */
const MOMENT = 0.5;

export interface Film {
  /** One frame as large as the film: a JPEG. */
  poster: Blob;
  /** How long it is; null for a film that does not say. */
  seconds: number | null;
  width: number;
  height: number;
}

/**
 * @param url of the film, from this page
 * @returns null when this browser can't show it
 */
export async function filmOf(url: string): Promise<Film | null> {
  const video = document.createElement('video');
  video.muted = true;
  video.preload = 'auto';
  try {
    video.src = url;
    await until(video, 'loadeddata');
    const { duration, videoWidth: width, videoHeight: height } = video;
    video.currentTime = Number.isFinite(duration) ? Math.min(MOMENT, duration / 2) : 0;
    await until(video, 'seeked');
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    canvas.getContext('2d')?.drawImage(video, 0, 0);
    const poster = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', 0.6));
    return poster && { poster, seconds: Number.isFinite(duration) ? Math.round(duration) : null, width, height };
  } catch {
    return null;
  } finally {
    video.removeAttribute('src');
    video.load();
  }
}

function until(video: HTMLVideoElement, event: string): Promise<void> {
  return new Promise((done, fail) => {
    const timer = setTimeout(fail, PATIENCE);
    video.addEventListener(event, () => (clearTimeout(timer), done()), { once: true });
    video.addEventListener('error', () => (clearTimeout(timer), fail()), { once: true });
  });
}

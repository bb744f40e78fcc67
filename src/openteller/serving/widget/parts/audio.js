/**
 * What microphone and loudspeaker share: how loud a signal looks, and audio contexts that a browser holds back.
 */

/** Quieter than this many decibels below full scale shows as nothing. */
const FLOOR = -55;

/** Root mean square → 0 … 1 as the ear grades it: linear in decibels. */
export function loudness(rms) {
  if (rms <= 0) return 0;
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(rms)) / FLOOR));
}

/** Let a context run; one that may not before the reader has touched the page runs from then on. */
export function wake(context) {
  const resume = () => {
    if (context.state === "closed") stop();
    else if (context.state !== "running") context.resume().catch(() => {});
  };
  const stop = () => {
    for (const type of ["pointerdown", "keydown"]) removeEventListener(type, resume, true);
  };
  for (const type of ["pointerdown", "keydown"]) addEventListener(type, resume, true);
  // Other programs may take the sound away for a while (a telephone call does).
  context.addEventListener("statechange", resume);
  resume();
}

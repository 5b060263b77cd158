/** Does something once what stands here now is drawn, unless the result is called before. A page nobody sees waits. */
export function afterDrawing(action: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  // called before the frame is drawn: what it begins comes after
  const frame = requestAnimationFrame(() => (timer = setTimeout(action)));
  return () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
}

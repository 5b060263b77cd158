/** Gives what tells later whether the same page is shown still: who went on is not taken elsewhere by a late answer. */
export function staying(): () => boolean {
  const { pathname } = location;
  return () => location.pathname === pathname;
}

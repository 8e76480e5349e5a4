/** Nothing was written, because what was read before has changed: read again and judge anew. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/** True for what only means that somebody else was faster: judging the place again tells what it means to the caller. */
export function isOvertaking(error: unknown): boolean {
  if (error instanceof Overtaken) return true;
  const { code } = error as { code?: unknown };
  return code === 'NAME_TAKEN' || code === 'PARENT_NOT_FOUND' || code === 'NOT_A_FOLDER' || code === '40P01' || code === '40001';
}

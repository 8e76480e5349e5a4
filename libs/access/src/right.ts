/** What somebody may do to a node besides reading it. Having any Right at all, even an empty one, means that it may be read. */
export interface Right {
  /** Change it, and make things in it. */
  readonly write: boolean;
  /** Put it into the trash, and take it back out of there. */
  readonly delete: boolean;
  /** Have its bytes, not only a view of them. */
  readonly download: boolean;
}

/** The right of an owner. */
export const FULL_RIGHT: Right = { write: true, delete: true, download: true };

/** True when `own` holds everything that `wanted` does: nobody gives more than he has. */
export function covers(own: Right, wanted: Right): boolean {
  return (own.write || !wanted.write) && (own.delete || !wanted.delete) && (own.download || !wanted.download);
}

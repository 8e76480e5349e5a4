/** The body of an answer that succeeded. */
export function success<D>(msg: string, data?: D): { status: 'success'; msg: string; data?: D } {
  return data === undefined ? { status: 'success', msg } : { status: 'success', msg, data };
}

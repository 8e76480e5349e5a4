import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

import pg from 'pg';

const TRANSACTION_CONTROL = /^\s*(START TRANSACTION|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)\b/i;
/** Wakes others after a commit: sent when there is time, so it could stand in any count. */
const WAKING = /^\s*SELECT pg_notify\(/i;

const counting = new AsyncLocalStorage<string[]>();

/** While all connections are in use, a pool goes on with whoever waits in the context of whoever gives one back: here everybody keeps his own. */
function keepContextOfWaiters(): void {
  const prototype = pg.Pool.prototype as unknown as { connect: (callback?: (...values: unknown[]) => unknown) => unknown };
  const original = prototype.connect;
  prototype.connect = function (callback) {
    return original.call(this, callback && AsyncResource.bind(callback));
  };
}
keepContextOfWaiters();

/**
 * Runs `work` and returns its result with the text of every statement that it sent through `pg`, transaction control and the waking of others left out.
 * What else the process does meanwhile, such as what an earlier test file has left to do, does not count.
 */
export async function withStatements<T>(work: () => Promise<T>): Promise<{ result: T; statements: string[] }> {
  const statements: string[] = [];
  const prototype = pg.Client.prototype as unknown as { query: (...values: unknown[]) => unknown };
  const original = prototype.query;
  prototype.query = function (this: unknown, ...values: unknown[]) {
    const [first] = values;
    const text = typeof first === 'string' ? first : ((first as { text?: string } | undefined)?.text ?? '');
    if (text !== '' && !TRANSACTION_CONTROL.test(text) && !WAKING.test(text)) counting.getStore()?.push(text);
    return original.apply(this, values);
  };
  try {
    return { result: await counting.run(statements, work), statements };
  } finally {
    prototype.query = original;
  }
}

/** How many statements `work` needs. */
export async function countStatements(work: () => Promise<unknown>): Promise<number> {
  return (await withStatements(work)).statements.length;
}

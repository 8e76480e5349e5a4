import { AsyncLocalStorage } from 'node:async_hooks';

import { randomHex } from '#libs/kernel';

const store = new AsyncLocalStorage<string>();
const ACCEPTABLE = /^[\w.:-]{1,128}$/;

/** The id that ties together a request, the jobs it caused and all their log lines. */
export const Correlation = {
  /** Runs `work`, and everything it starts, under `id`. A missing or strange id (a client may send one) is replaced by a new one. */
  run<T>(id: string | null | undefined, work: () => T): T {
    return store.run(id && ACCEPTABLE.test(id) ? id : randomHex(8), work);
  },

  /** The id of the surrounding `run`, or undefined outside of one. */
  current(): string | undefined {
    return store.getStore();
  },
};

/** How an API refuses, in words that all of them share. */
export type Refusal = 'unauthenticated' | 'not-found' | 'forbidden' | 'taken' | 'into-itself' | 'no-space' | 'invalid';

/** A node as an API names it: a path, a UUID ... Only the driver that gave it reads it. */
export type Ref = string & { readonly brand?: 'ref' };

export interface ListedItem {
  readonly name: string;
  readonly folder: boolean;
  /** Of files only. */
  readonly bytes?: number;
}

/** Who signs in. */
export interface Person {
  readonly email: string;
  readonly password: string;
}

/** A refused call. Drivers throw nothing else for what the API says no to. */
export class Refused extends Error {
  constructor(
    readonly refusal: Refusal,
    readonly answer: string,
  ) {
    super(`refused (${refusal}): ${answer}`);
  }
}

/** One signed-in person at one API. Every method throws Refused when the API refuses. */
export interface ParitySession {
  /** Where a person's things are. */
  readonly home: Ref;
  mkdir(parent: Ref, name: string): Promise<Ref>;
  put(parent: Ref, name: string, bytes: Buffer): Promise<Ref>;
  get(file: Ref, range?: { readonly start: number; readonly end: number }): Promise<Buffer>;
  list(folder: Ref): Promise<ListedItem[]>;
  /** The node of this name in a folder, as this API names it. */
  find(parent: Ref, name: string): Promise<Ref>;
  rename(node: Ref, name: string): Promise<Ref>;
  move(node: Ref, folder: Ref): Promise<Ref>;
  copy(node: Ref, folder: Ref): Promise<void>;
  /** To the trash. */
  remove(node: Ref): Promise<void>;
  /** Out of the trash, back into the folder where it was. */
  restore(node: Ref, folder: Ref): Promise<Ref>;
  close(): void;
}

/** One API. Whoever adds an API writes one of these and puts it into DRIVERS. */
export interface ParityDriver {
  readonly name: string;
  /** Kinds of refusal that this API says as another one. */
  readonly says?: Partial<Record<Refusal, Refusal>>;
  signIn(baseUrl: string, person: Person): Promise<ParitySession>;
}

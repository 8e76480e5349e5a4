import type { CloudikeUser } from '../../support/cloudike-user.js';

/** How an API refuses, in words that all of them share. */
export type Refusal = 'unauthenticated' | 'not-found' | 'forbidden' | 'taken' | 'into-itself' | 'no-space' | 'invalid';

/** A node as an API names it: a path, a UUID ... Only the driver that gave it reads it. */
export type Ref = string & { readonly brand?: 'ref' };

/** What an API may have no call for, or means in another way than most. */
export const ABILITIES = {
  folders: 'folders are made, renamed, moved and deleted as things of their own',
  places: 'a call names the folder that it looks into, so that one can ask for a folder of somebody else',
  range: 'a part of a file is got',
  clash: 'a new folder, a rename and a move are refused when the name is taken',
  rename: 'a file gets another name',
  move: 'a file is moved into another folder',
  copy: 'a file is copied into another folder (and a folder, where there are folders)',
  restore: 'what was deleted comes back',
} as const;
export type Ability = keyof typeof ABILITIES;

export interface ListedItem {
  readonly name: string;
  readonly folder: boolean;
  /** Of files only. */
  readonly bytes?: number;
}

/** Who signs in. `user` is the person at the main API, which mints and revokes the credentials of the others. */
export interface Person {
  readonly email: string;
  readonly password: string;
  readonly user: CloudikeUser;
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

/** Thrown by the methods for which an API has no call; no scenario that its driver does not leave out may come to it. */
export class NoCall extends Error {}

/** The body of a method for which an API has no call. */
export function noCall(): Promise<never> {
  return Promise.reject(new NoCall('this API has no call for that'));
}

/** One signed-in person at one API. Every method throws Refused when the API refuses. */
export interface ParitySession {
  /** Where a person's things are: the tree, a bucket, a session. */
  readonly home: Ref;
  /** An empty place of the person's own: a folder in `home`; a prefix, a bucket or a session where there are no folders. */
  area(name: string): Promise<Ref>;
  mkdir(parent: Ref, name: string): Promise<Ref>;
  put(parent: Ref, name: string, bytes: Buffer): Promise<Ref>;
  get(file: Ref, range?: { readonly start: number; readonly end: number }): Promise<Buffer>;
  /** What stands in a folder, and nothing of what is deeper. */
  list(folder: Ref): Promise<ListedItem[]>;
  /** The node of this name in a folder, as this API names it. */
  find(parent: Ref, name: string): Promise<Ref>;
  rename(node: Ref, name: string): Promise<Ref>;
  move(node: Ref, folder: Ref): Promise<Ref>;
  copy(node: Ref, folder: Ref): Promise<void>;
  /** To the trash; for good where the API knows none. */
  remove(node: Ref): Promise<void>;
  /** Out of the trash, back into the folder where it was. */
  restore(node: Ref, folder: Ref): Promise<Ref>;
  close(): void;
}

/** One API. Whoever adds an API writes one of these and puts it into DRIVERS (drivers.ts), and what it lacks into LACKING (parity.e2e-spec.ts). */
export interface ParityDriver {
  readonly name: string;
  /** Its files are those of the person's tree, which other APIs show too; false: they lie in a space of their own. */
  readonly inTree: boolean;
  /** What it has no call for, or means in another way, and why. Scenarios that need it are not played. */
  readonly lacks: Partial<Readonly<Record<Ability, string>>>;
  /** Kinds of refusal that this API says as another one. */
  readonly says?: Partial<Record<Refusal, Refusal>>;
  /** What putting a name again does: the file gets a version, another file comes beside it (whatever its name), or it is refused. */
  readonly again: 'version' | 'another' | 'refused';
  /** A file that nobody has, named in good form. */
  readonly nothing: Ref;
  signIn(baseUrl: string, person: Person): Promise<ParitySession>;
  /** Ends every credential of this API that the person has; that of `person.user` stays. */
  revoke(person: Person): Promise<void>;
}

/** Ends all sessions of a person but the one that asks for it: for APIs whose credentials are sessions. */
export async function endSessions({ user }: Person): Promise<void> {
  const [, ...others] = await user.http.get<{ id: string }[]>('/api/1/accounts/tokens/?include_not_permanent=true');
  if (others.length === 0) throw new Error('there is no session to end');
  for (const { id } of others) await user.http.form('/api/1/accounts/remove_token/', { token_id: id });
}

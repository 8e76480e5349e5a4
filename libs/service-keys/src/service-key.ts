import type { AccountActor } from '#libs/kernel';

/** What a key opens: the files of the account (a pair of public id and secret), its buckets, or the making of sessions. */
export type ServiceKeyKind = 'client' | 'storage' | 'developer';

/** A key as its owner sees it. Times are ms since the epoch, that of the last use is exact to a minute. */
export interface ServiceKey {
  readonly id: string;
  readonly kind: ServiceKeyKind;
  readonly name: string;
  /** Of a pair; null for others. */
  readonly publicId: string | null;
  /** The last four characters of the secret. */
  readonly hint: string;
  /** What it reaches; null = all of its kind that the account has. */
  readonly scope: readonly string[] | null;
  readonly createdMs: number;
  /** Null when it was never used. */
  readonly lastUsedMs: number | null;
}

/** The only time that the secret is shown. */
export interface NewServiceKey extends ServiceKey {
  readonly secret: string;
}

/** Who acts by a key that was shown. */
export interface ProvenKey {
  readonly actor: AccountActor;
  readonly keyId: string;
  readonly scope: readonly string[] | null;
}

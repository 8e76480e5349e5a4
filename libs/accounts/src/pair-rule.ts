import { type AccountActor, DomainError } from '#libs/kernel';

/** FORBIDDEN when the actor came by a pair or a key made for one program: nothing that outlives it can be made with it. */
export function refusePair(actor: AccountActor): void {
  if (actor.byPair) throw new DomainError('FORBIDDEN', 'This credential is for one program; sign in with the login of the account.');
}

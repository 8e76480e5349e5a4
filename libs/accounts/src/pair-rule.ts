import { type AccountActor, DomainError } from '#libs/kernel';

/** FORBIDDEN when the actor came by a pair made for one program: nothing that outlives the pair can be made with it. */
export function refusePair(actor: AccountActor): void {
  if (actor.byPair) throw new DomainError('FORBIDDEN', 'This user name is for one program; sign in with the login of the account.');
}

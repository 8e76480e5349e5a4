import { DomainError, isUuid } from '#libs/kernel';
import type { PlaceKind, PlaceName, Spot } from '#libs/places';

/** The places of the contract (4.2) by their names, and how they are shown. */
const PLACES = {
  home: ['home', 'Home'],
  incoming: ['incoming', 'Incoming'],
  trash: ['trash', 'Trash'],
  favorites: ['favorites', 'Favorites'],
  shared_with_you: ['received', 'Shared with you'],
  private_shares: ['shared', 'Private shares'],
  public_shares: ['published', 'Public shares'],
} as const satisfies Record<string, readonly [PlaceKind, string]>;

type Alias = keyof typeof PLACES;

/** What NODEUUID names: a UUID, an alias, or `alias:OWNERUUID`. NODE_NOT_FOUND for anything else. */
export function spotOf(text: string): Spot {
  const lower = text.toLowerCase();
  const [alias = '', owner, ...rest] = lower.split(':');
  if (isUuid(lower)) return { id: lower };
  const place = Object.hasOwn(PLACES, alias) ? PLACES[alias as Alias][0] : null;
  if (place === null || rest.length > 0 || (owner !== undefined && !isUuid(owner))) {
    throw new DomainError('NODE_NOT_FOUND', 'There is no file or folder with this id.');
  }
  return { place, ownerId: owner ?? null };
}

/** A place as the contract names it. */
export function aliasOf({ place, ownerId }: PlaceName): string {
  const [alias] = entryOf(place);
  return ownerId === null ? alias : `${alias}:${ownerId}`;
}

/** A place as it is shown to people. */
export function placeTitle({ place }: PlaceName): string {
  return entryOf(place)[1][1];
}

function entryOf(kind: PlaceKind): [Alias, (typeof PLACES)[Alias]] {
  return (Object.entries(PLACES) as [Alias, (typeof PLACES)[Alias]][]).find(([, [place]]) => place === kind)!;
}

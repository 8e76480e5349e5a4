import { DomainError } from '#libs/kernel';

/**
 * What people and groups have for places: `home` and `incoming` (copies that others sent) are folders, `trash` takes what is removed, the others are
 * lists: `favorites`, `received` (shared by others), `shared` (shared with others), `published` (with a public link).
 */
export type PlaceKind = 'home' | 'incoming' | 'trash' | 'favorites' | 'received' | 'shared' | 'published';

/** A place. `ownerId`: public id of a person or a group; null = the actor himself. */
export interface PlaceName {
  readonly place: PlaceKind;
  readonly ownerId: string | null;
}

/** How a caller names what he means: a node by its id, or a place. */
export type Spot = { readonly id: string } | PlaceName;

export function isPlace(spot: Spot): spot is PlaceName {
  return 'place' in spot;
}

/** The refusal for what only files and folders can be asked for. */
export function notForPlaces(): DomainError {
  return new DomainError('ROOT_IMMUTABLE', 'This is one of the places of an account or a group, not a file or folder.');
}

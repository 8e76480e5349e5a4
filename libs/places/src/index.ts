export type { Entry, EntryCounts, NodeOwner, SpotFacts, Step } from './facts.js';
export type { PlaceKind, PlaceName, Spot } from './place.js';
export { PlaceActions } from './place-actions.service.js';
export { PlaceReader, type SpotRights } from './place-reader.service.js';
export { PlacesModule } from './places.module.js';

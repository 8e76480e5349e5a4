import type { AccountActor, Client } from '#libs/kernel';

export type RoomRole = 'host' | 'client';

/** Somebody in a room. `address` is that of his wallet, in lower case. */
export interface RoomPerson {
  readonly id: string;
  readonly role: RoomRole;
  readonly name: string;
  readonly address: string;
}

/** What a credential of a room names. It decides nothing: each use asks for the row. */
export interface RoomPass {
  readonly roomId: string;
  readonly memberId: string;
  readonly passId: string;
}

/** A member who has just been let in. `actor` is the account that owns the room: what is stored is its own, under its policy and its quota. */
export interface RoomMember extends RoomPerson, Omit<RoomPass, 'memberId'> {
  readonly actor: AccountActor;
  readonly spaceId: string;
  readonly rootId: string;
  readonly expiresAt: Date;
}

/** A room as its members see it. */
export interface RoomView {
  readonly id: string;
  readonly creatorId: string;
  readonly expiresAt: Date;
  readonly capacity: number;
  readonly maxFiles: number;
  readonly maxBytes: number;
  readonly passwordProtected: boolean;
  /** Wallets that the host has listed, in lower case. */
  readonly listed: readonly string[];
  readonly people: readonly RoomPerson[];
}

/** What a host asks for; absent: the default of ROOM_LIMITS. */
export interface RoomWish {
  readonly name: string;
  readonly address: string;
  readonly capacity?: number;
  readonly lifeMs?: number;
  readonly password?: string;
  /** Only listed wallets get in. */
  readonly listedOnly?: boolean;
  readonly listed?: readonly string[];
  readonly maxFiles?: number;
  readonly maxBytes?: number;
}

export interface JoinRoom {
  readonly roomId: string;
  readonly address: string;
  /** Empty: one is made up. */
  readonly name: string;
  readonly password: string;
  readonly client: Client;
}

/** A file of a room. Sizes in bytes. */
export interface RoomFile {
  readonly id: string;
  readonly roomId: string;
  readonly memberId: string;
  readonly uploadId: string;
  /** As its member gave it: nobody here can read it. */
  readonly name: string | null;
  readonly totalParts: number;
  /** What its member says of its size; his cipher may make it another one. */
  readonly declaredBytes: number | null;
  /** What is stored: the parts that have arrived or are on their way, or the whole file. */
  readonly heldBytes: number;
  readonly arrivedParts: number;
  readonly nodeId: string | null;
  readonly createdAt: Date;
  readonly completedAt: Date | null;
}

export interface StartFile {
  readonly name: string | null;
  readonly totalParts: number;
  readonly declaredBytes: number | null;
}

/** What members are told of. `data` holds ids and plain values. */
export const ROOM_EVENTS = [
  'member-joined',
  'member-left',
  'file-added',
  'file-progress',
  'file-complete',
  'file-removed',
  'room-expired',
  'room-destroyed',
] as const;
export type RoomEventType = (typeof ROOM_EVENTS)[number];

export interface RoomEvent {
  readonly roomId: string;
  /** Counts from 1 in each room, without gaps, in the order of commits. */
  readonly seq: number;
  readonly type: RoomEventType;
  readonly data: Readonly<Record<string, unknown>>;
}

const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;

/** What a room has when its host says nothing, and the most he can have. */
export const ROOM_LIMITS = {
  capacity: { standard: 10, most: 1_000 },
  lifeMs: { standard: 60 * MINUTE_MS, most: 7 * 24 * 60 * MINUTE_MS },
  maxFiles: { standard: 100, most: 10_000 },
  maxBytes: { standard: 1024 * MIB, most: 1024 * 1024 * MIB },
  /** Wallets that a host may list. */
  listed: 1_000,
  nameCharacters: 100,
  fileNameCharacters: 1_024,
  parts: 10_000,
  /** Rooms of one account at a time. */
  rooms: 1_000,
} as const;

import { randomBytes, randomUUID } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { PasswordHasher, ProgramTokens } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, Call, type Client, Clock, DomainError, isDomainError, isUuid, newId } from '#libs/kernel';
import { Limiter } from '#libs/limiter';
import { SpaceRepository, SpaceService } from '#libs/nodes';
import { Outbox } from '#libs/queue';
import type { ProvenKey } from '#libs/service-keys';

import { type AdmittedRow, type LivingRoom, type RoomDoor, RoomRepository } from './repositories/room.repository.js';
import { type JoinRoom, ROOM_LIMITS, type RoomMember, type RoomPass, type RoomPerson, type RoomView, type RoomWish } from './room.js';
import { RoomLog } from './room-log.js';
import { checkedPersonName, planRoom } from './room-wish.js';

const TRIES_PER_WINDOW = 10;
const WINDOW_MS = 15 * 60_000;

/** A member and his room, as both are when he comes. */
export interface Joined {
  readonly pass: RoomPass;
  readonly person: RoomPerson;
  readonly room: RoomView;
}

/** What became of somebody's place in a room. */
export type Presence = 'present' | 'out' | 'expired';

/**
 * Rooms: made with a key of an account, entered with a wallet, over at a fixed time. The account owns the room and pays for what is in it; who may do what
 * in the room is decided here. Nobody's credential outlives the key, the account or the room.
 */
@Injectable()
export class Rooms {
  constructor(
    private readonly rows: RoomRepository,
    private readonly log: RoomLog,
    private readonly tokens: ProgramTokens,
    private readonly spaces: SpaceService,
    private readonly spaceRows: SpaceRepository,
    private readonly hasher: PasswordHasher,
    private readonly limiter: Limiter,
    private readonly outbox: Outbox,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** A new room, with its host in it. INVALID_ARGUMENT; WRONG_STATE when the account has too many. */
  async create({ actor, keyId }: Pick<ProvenKey, 'actor' | 'keyId'>, wish: RoomWish): Promise<Joined> {
    const { password, lifeMs, name, ...plan } = planRoom(wish);
    const passwordHash = password === null ? null : await this.hasher.hash(password);
    // makes the quota of an account that was never used
    await this.spaces.homeOf(actor.accountId);
    return this.unitOfWork.run(async () => {
      const createdAt = this.clock.now();
      const nowMs = createdAt.getTime();
      const [id, spaceId, rootId] = [randomUUID(), newId(nowMs), newId(nowMs)];
      if ((await this.rows.count(actor.accountId, ROOM_LIMITS.rooms)) >= ROOM_LIMITS.rooms) {
        throw new DomainError('WRONG_STATE', `There are ${ROOM_LIMITS.rooms} sessions of this key's account already.`);
      }
      if (!(await this.spaceRows.insert('session', actor.accountId, { spaceId, rootId }, nowMs))) throw over();
      const expiresAt = new Date(nowMs + lifeMs);
      await this.rows.insert({ id, accountId: actor.accountId, keyId, spaceId, ...plan, passwordHash, createdAt, expiresAt });
      const host = newPerson('host', name, wish.address);
      await this.rows.addMember(id, host, createdAt);
      Call.note('room', id);
      return { pass: { roomId: id, memberId: host.id, passId: host.passId }, person: host, room: await this.viewOf(id) };
    });
  }

  /**
   * Lets somebody in, or in again: then he is who he was. NODE_NOT_FOUND when there is no such room (any more), FORBIDDEN for a wallet that is not listed or
   * was sent away, INVALID_CREDENTIALS and RATE_LIMITED by the password, WRONG_STATE when the room is full.
   */
  async join({ roomId, address, name, password, client }: JoinRoom): Promise<Joined> {
    const shownName = checkedPersonName(name);
    const door = isUuid(roomId) ? await this.rows.door(roomId, this.clock.now()) : null;
    if (!door) throw roomNotFound();
    await this.requireOpen(door, client);
    const known = await this.rows.member(roomId, { address });
    if (known?.banned) throw new DomainError('FORBIDDEN', 'The host has sent this wallet away.');
    if (known?.role !== 'host') {
      if (door.listedOnly && !door.listed.includes(address)) throw new DomainError('FORBIDDEN', 'The host has not listed this wallet.');
      await this.checkPassword(roomId, door.passwordHash, password, client.address);
    }
    Call.identify({ accountId: door.accountId, companyId: door.companyId, tokenId: door.tokenId });
    return this.unitOfWork.run(async () => {
      const room = await this.lock(roomId, roomNotFound);
      const person = await this.admit(room, address, shownName);
      Call.note('room', roomId);
      return { pass: { roomId, memberId: person.id, passId: person.passId }, person, room: await this.viewOf(roomId) };
    });
  }

  /** Who holds this pass. UNAUTHENTICATED when it does not let in (any more), NODE_NOT_FOUND when its room is over; FORBIDDEN as the account's policy has it. */
  async enter(pass: RoomPass, client: Client): Promise<RoomMember> {
    if (![pass.roomId, pass.memberId, pass.passId].every(isUuid)) throw unauthenticated();
    const now = this.clock.now();
    const [row] = await this.rows.admitted([pass.passId], now);
    if (row?.id === pass.memberId && row.roomId === pass.roomId) return this.memberOf(row, client);
    throw (await this.rows.lives(pass.roomId, now)) ? unauthenticated() : roomNotFound();
  }

  /** The same for many who are there already, without waiting for what is not new. In the order of `held`. */
  async presences(held: readonly { readonly member: RoomMember; readonly client: Client }[]): Promise<Presence[]> {
    if (held.length === 0) return [];
    const now = this.clock.now();
    const rows = new Map((await this.rows.admitted([...new Set(held.map(({ member }) => member.passId))], now)).map((row) => [row.passId, row]));
    return Promise.all(
      held.map(async ({ member, client }): Promise<Presence> => {
        if (member.expiresAt <= now) return 'expired';
        const row = rows.get(member.passId);
        if (!row) return 'out';
        try {
          await this.tokens.actorOf(row.tokenId, client);
          return 'present';
        } catch (error) {
          if (isDomainError(error, 'UNAUTHENTICATED') || isDomainError(error, 'FORBIDDEN')) return 'out';
          throw error;
        }
      }),
    );
  }

  /** The room of a member. NODE_NOT_FOUND when it was removed in this moment. */
  current({ roomId }: RoomMember): Promise<RoomView> {
    return this.viewOf(roomId);
  }

  /** Sends somebody away for good; the host alone. NODE_NOT_FOUND for who is not there, FORBIDDEN, INVALID_ARGUMENT for himself. */
  async kick(host: RoomMember, memberId: string): Promise<void> {
    requireHost(host);
    if (memberId === host.id) throw new DomainError('INVALID_ARGUMENT', 'The host cannot send himself away; he can end the session.');
    await this.end(host, memberId, true);
  }

  /** The member leaves, and may come again. What he brought stays. */
  async leave(member: RoomMember): Promise<void> {
    await this.end(member, member.id, false);
  }

  /** Ends the room for all; the host alone. FORBIDDEN. */
  async destroy(host: RoomMember): Promise<void> {
    requireHost(host);
    await this.unitOfWork.run(async () => {
      await this.lock(host.roomId, unauthenticated);
      await this.rows.end(host.roomId, this.clock.now());
      await this.log.tell(host.roomId, 'room-destroyed', {});
      await this.outbox.add('rooms.sweep', {});
      Call.note('room', host.roomId);
    });
  }

  private async end({ roomId }: RoomMember, memberId: string, banned: boolean): Promise<void> {
    await this.unitOfWork.run(async () => {
      await this.lock(roomId, unauthenticated);
      const person = isUuid(memberId) ? await this.rows.member(roomId, { id: memberId }) : null;
      if (!person || !(await this.rows.leave(roomId, memberId, banned, this.clock.now())))
        throw new DomainError('NODE_NOT_FOUND', 'There is no such user here.');
      await this.log.tell(roomId, 'member-left', publicPerson(person));
      Call.note('room', roomId);
    });
  }

  private async admit({ id: roomId, capacity }: LivingRoom, address: string, name: string): Promise<RoomPerson & { passId: string }> {
    const known = await this.rows.member(roomId, { address });
    if (known?.banned) throw new DomainError('FORBIDDEN', 'The host has sent this wallet away.');
    if (known?.present) return known;
    if ((await this.rows.countPeople(roomId)) >= capacity) throw new DomainError('WRONG_STATE', 'The session is full.', { reason: 'full' });
    const now = this.clock.now();
    const person = known ? { ...known, passId: randomUUID(), name: name === '' ? known.name : name } : newPerson('client', name, address);
    if (known) await this.rows.comeBack(known.id, person.passId, person.name, now);
    else await this.rows.addMember(roomId, person, now);
    await this.log.tell(roomId, 'member-joined', publicPerson(person));
    return person;
  }

  /** The room lets in as long as its key would. */
  private async requireOpen({ tokenId }: RoomDoor, client: Client): Promise<void> {
    try {
      await this.tokens.actorOf(tokenId, client);
    } catch (error) {
      throw isDomainError(error, 'UNAUTHENTICATED') ? roomNotFound() : error;
    }
  }

  private async checkPassword(roomId: string, passwordHash: string | null, password: string, address: string): Promise<void> {
    if (passwordHash === null) return;
    if (password === '') throw new DomainError('INVALID_CREDENTIALS', 'This session needs a password.');
    const slot = await this.limiter.take(`room-password:${roomId}:${address}`, TRIES_PER_WINDOW, WINDOW_MS);
    if (!slot.granted) throw new DomainError('RATE_LIMITED', 'Too many wrong passwords; try again later.', { retryAfterMs: slot.retryAfterMs });
    const fits = Buffer.byteLength(password) <= 256 && (await this.hasher.verify(passwordHash, password));
    if (!fits) throw new DomainError('INVALID_CREDENTIALS', 'This is not the password of the session.');
    await slot.release();
  }

  private async memberOf({ tokenId, ...row }: AdmittedRow, client: Client): Promise<RoomMember> {
    const actor: AccountActor = await this.tokens.actorOf(tokenId, client);
    return { ...row, actor };
  }

  private async lock(roomId: string, gone: () => DomainError): Promise<LivingRoom> {
    const room = await this.rows.lock(roomId, this.clock.now());
    if (!room) throw gone();
    return room;
  }

  private async viewOf(roomId: string): Promise<RoomView> {
    const facts = await this.rows.facts(roomId);
    if (!facts) throw roomNotFound();
    return { id: roomId, ...facts, people: await this.rows.people(roomId) };
  }
}

/** FORBIDDEN for everybody else. */
export function requireHost({ role }: RoomMember): void {
  if (role !== 'host') throw new DomainError('FORBIDDEN', 'Only the host may do this.');
}

function newPerson(role: 'host' | 'client', name: string, address: string): RoomPerson & { readonly passId: string } {
  const id = randomUUID();
  return { id, passId: randomUUID(), role, name: name === '' ? `Guest ${randomBytes(3).toString('hex')}` : name, address };
}

function publicPerson({ id, role, name, address }: RoomPerson): RoomPerson {
  return { id, role, name, address };
}

function unauthenticated(): DomainError {
  return new DomainError('UNAUTHENTICATED', 'The session token is missing, wrong or has ended.');
}

function roomNotFound(): DomainError {
  return new DomainError('NODE_NOT_FOUND', 'There is no such session, or it is over.');
}

function over(): DomainError {
  return new DomainError('UNAUTHENTICATED', 'The account of this key is no more.');
}

import { type Client, Clock, DomainError } from '#libs/kernel';
import { type Joined, type RoomMember, Rooms } from '#libs/rooms';
import type { ProvenKey } from '#libs/service-keys';
import { walletAddress } from '#libs/wallets';

import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentCall, CurrentClient, JsonBody } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { CurrentKey, CurrentMember, CurrentWallet } from '../auth/holders.js';
import { QuicksyncTokens } from '../auth/tokens.js';
import { type Body, flagIn, integerIn, objectIn, textIn, textsIn } from '../http/body.js';
import { QuicksyncController } from '../http/controller.js';
import { presentPerson, presentRole, presentRules } from './presenter.js';

const BODY_BYTES = 128 * 1024;
const MIB = 1024 * 1024;
const TEXT = { type: 'string' };
const NUMBER = { type: 'integer' };
const ADDRESSES = { type: 'array', items: TEXT };
const RULES = {
  type: 'object',
  properties: {
    ...{ expiry: { type: 'string', format: 'date-time' }, maxFiles: NUMBER, maxUsers: NUMBER, maxTotalMegaBytes: NUMBER },
    ...{ passwordProtected: { type: 'boolean' }, whiteListAddresses: ADDRESSES },
  },
};
const CREDENTIALS = { type: 'object', properties: { token: TEXT, id: TEXT, pseudonym: TEXT, role: { type: 'string', enum: ['Host', 'Client'] } } };
const USERS = { type: 'array', items: { type: 'object', properties: { id: TEXT, role: TEXT, name: TEXT, address: TEXT } } };
const CREATED = { type: 'object', properties: { sessionId: TEXT, expiresIn: NUMBER, credentials: CREDENTIALS, rules: RULES } };
const WISH = {
  type: 'object',
  properties: {
    identity: { type: 'object', properties: { name: TEXT, chainAddress: TEXT } },
    rules: {
      type: 'object',
      properties: {
        ...{ userCapacity: NUMBER, expiryDurationInSeconds: NUMBER, password: TEXT, allowOnlyWhitelistedAddresses: { type: 'boolean' } },
        ...{ whiteListAddresses: ADDRESSES, maxFiles: NUMBER, maxTotalMegaBytes: NUMBER },
      },
    },
  },
};

@QuicksyncController('session')
export class SessionController {
  constructor(
    private readonly rooms: Rooms,
    private readonly tokens: QuicksyncTokens,
    private readonly clock: Clock,
  ) {}

  @Route('POST', 'session', {
    auth: 'developer',
    summary: 'Make a session; the caller is its host',
    body: { types: ['application/json'], schema: WISH },
    answer: CREATED,
    refusals: ['INVALID_ARGUMENT', 'WRONG_STATE', 'RATE_LIMITED'],
  })
  async create(@CurrentKey() key: ProvenKey, @CurrentWallet() wallet: string, @JsonBody(BODY_BYTES) body: Body, @CurrentCall() call: DialectCall) {
    const { name, address } = identityIn(body, wallet);
    const rules = objectIn(body, 'rules');
    const lifeSeconds = integerIn(rules, 'expiryDurationInSeconds');
    const megaBytes = integerIn(rules, 'maxTotalMegaBytes');
    const listedOnly = flagIn(rules, 'allowOnlyWhitelistedAddresses') ?? false;
    call.about['listedOnly'] = listedOnly;
    const joined = await this.rooms.create(key, {
      ...{ name, address, listedOnly, listed: textsIn(rules, 'whiteListAddresses') ?? [], password: textIn(rules, 'password') ?? '' },
      ...given({ capacity: integerIn(rules, 'userCapacity'), maxFiles: integerIn(rules, 'maxFiles') }),
      ...given({
        lifeMs: lifeSeconds === undefined ? undefined : lifeSeconds * 1000,
        maxBytes: megaBytes === undefined ? undefined : megaBytes * MIB,
      }),
    });
    return this.present(joined);
  }

  @Route('POST', 'session/join', {
    auth: 'wallet',
    audit: 'sign-in',
    summary: 'Come into a session, or back into it',
    body: { types: ['application/json'], schema: { type: 'object', properties: { sessionId: TEXT, password: TEXT } } },
    answer: { type: 'object', properties: { ...CREATED.properties, users: USERS } },
    refusals: ['INVALID_ARGUMENT', 'INVALID_CREDENTIALS', 'FORBIDDEN', 'NODE_NOT_FOUND', 'WRONG_STATE', 'RATE_LIMITED'],
    errors: { NODE_NOT_FOUND: [404, 'session_not_found'], WRONG_STATE: [409, 'session_full'] },
  })
  async join(@CurrentWallet() wallet: string, @CurrentClient() client: Client, @JsonBody(BODY_BYTES) body: Body, @CurrentCall() call: DialectCall) {
    call.logins.push(wallet);
    const { name, address } = identityIn(body, wallet);
    const joined = await this.rooms.join({
      roomId: textIn(body, 'sessionId') ?? '',
      address,
      name,
      password: textIn(body, 'password') ?? '',
      client,
    });
    return { ...this.present(joined), users: joined.room.people.map(presentPerson) };
  }

  @Route('GET', 'session/current', {
    auth: 'session',
    summary: 'The session of the token, and who is in it',
    answer: { type: 'object', properties: { id: TEXT, creatorId: TEXT, ...RULES.properties, users: USERS } },
    refusals: ['NODE_NOT_FOUND'],
    errors: { NODE_NOT_FOUND: [404, 'session_not_found'] },
  })
  async current(@CurrentMember() member: RoomMember) {
    const room = await this.rooms.current(member);
    return { id: room.id, creatorId: room.creatorId, ...presentRules(room), users: room.people.map(presentPerson) };
  }

  @Route('POST', 'session/kick', {
    auth: 'session',
    summary: 'Send somebody out of the session for good; for its host',
    body: { types: ['application/json'], schema: { type: 'object', required: ['userId'], properties: { userId: TEXT } } },
    refusals: ['INVALID_ARGUMENT', 'FORBIDDEN', 'NODE_NOT_FOUND'],
    errors: { NODE_NOT_FOUND: [404, 'user_not_found'] },
  })
  async kick(@CurrentMember() member: RoomMember, @JsonBody(BODY_BYTES) body: Body, @CurrentCall() call: DialectCall): Promise<void> {
    const userId = textIn(body, 'userId');
    if (userId === undefined) throw new DomainError('INVALID_ARGUMENT', 'The body must have a text "userId".');
    call.about['user'] = userId;
    await this.rooms.kick(member, userId);
  }

  @Route('POST', 'session/disconnect', { auth: 'session', summary: 'Leave the session; its files stay' })
  async disconnect(@CurrentMember() member: RoomMember): Promise<void> {
    await this.rooms.leave(member);
  }

  @Route('DELETE', 'session/current', {
    auth: 'session',
    summary: 'End the session for all, and remove what is in it; for its host',
    refusals: ['FORBIDDEN'],
  })
  async destroy(@CurrentMember() member: RoomMember): Promise<void> {
    await this.rooms.destroy(member);
  }

  private present({ pass, person, room }: Joined) {
    return {
      sessionId: room.id,
      expiresIn: Math.max(0, Math.floor((room.expiresAt.getTime() - this.clock.nowMs()) / 1000)),
      credentials: { token: this.tokens.signSession(pass, room.expiresAt), id: person.id, pseudonym: person.name, role: presentRole(person) },
      rules: presentRules(room),
    };
  }
}

/** Who comes: the wallet is the one that was proven. INVALID_ARGUMENT when another one is named. */
function identityIn(body: Body, wallet: string): { readonly name: string; readonly address: string } {
  const identity = objectIn(body, 'identity');
  const named = textIn(identity, 'chainAddress');
  if (named !== undefined && named !== '' && walletAddress(named) !== wallet)
    throw new DomainError('INVALID_ARGUMENT', 'The chainAddress must be that of the wallet that was proven.');
  return { name: textIn(identity, 'name') ?? '', address: wallet };
}

/** Without the members that are undefined. */
function given<T extends Record<string, number | undefined>>(values: T): { [N in keyof T]?: number } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [N in keyof T]?: number };
}

import { Injectable } from '@nestjs/common';

import { type Actor, Clock, DomainError, forbiddenBy, type GuestActor, type PolicyReason, type PolicyUse } from '#libs/kernel';
import { nodeNotFound, type NodeView } from '#libs/nodes';

import { Policies } from './policies.service.js';
import { type OpenPass, PassRepository } from './repositories/pass.repository.js';
import { type ReasonRow, RightRepository } from './repositories/right.repository.js';
import { FULL_RIGHT, type Right } from './right.js';

/**
 * What can be done to a node. `node.share` is the owner's alone. `node.upload` brings bytes into a folder or over a file; `node.copy` takes them from one
 * place here to another, out of nobody's sight; `node.make-folder` makes a folder in it.
 */
export type NodeAction =
  | 'node.read'
  | 'node.download'
  | 'node.copy'
  | 'node.write'
  | 'node.create'
  | 'node.upload'
  | 'node.make-folder'
  | 'node.delete'
  | 'node.restore'
  | 'node.share'
  | 'node.link'
  | 'node.comment';

/** Somebody who can see a node, what he may do to it, and why. */
export interface Seer {
  readonly accountId: number;
  readonly right: Right;
  readonly reasons: readonly ReasonRow[];
}

/** Who can see a node: accounts, and the passes that open it to anyone who holds them. */
export interface Explanation {
  readonly accounts: readonly Seer[];
  readonly passes: readonly OpenPass[];
}

/** Whether an actor may do something to a node; `unseen`: he may not even know that it is there. */
export type Verdict = 'allowed' | 'refused' | 'unseen';

/** What is known of an actor and one node. A guest of an upload link has no right, not even to look, and may still add. */
interface Standing {
  readonly right: Right | null;
  /** What he may do to the folder that it stands in: its name and its place are matters of that. */
  readonly around: Right | null;
  readonly owner: boolean;
  readonly adds: boolean;
}

const NOTHING: Standing = { right: null, around: null, owner: false, adds: false };
const OWNER: Standing = { right: FULL_RIGHT, around: FULL_RIGHT, owner: true, adds: true };
const VIEW: Right = { write: false, delete: false, download: true };

/** What a right permits. */
const PERMITS: Readonly<Record<NodeAction, (right: Right) => boolean>> = {
  'node.read': () => true,
  'node.comment': () => true,
  'node.download': (right) => right.download,
  'node.copy': (right) => right.download,
  'node.link': (right) => right.download,
  'node.write': (right) => right.write,
  'node.create': (right) => right.write,
  'node.upload': (right) => right.write,
  'node.make-folder': (right) => right.write,
  'node.delete': (right) => right.delete,
  'node.restore': (right) => right.delete,
  'node.share': () => false,
};
/** What a right on a shared folder does not give for that folder itself: its members rename and remove their mounts, not what the owner has. */
const OF_PLACE: readonly NodeAction[] = ['node.write', 'node.delete'];
const GUEST_ACTIONS: readonly NodeAction[] = ['node.read', 'node.download', 'node.copy', 'node.create', 'node.upload', 'node.make-folder'];
/** What may be done with a pass that lets things be left. */
const ADDING: readonly NodeAction[] = ['node.create', 'node.upload', 'node.make-folder'];
/** What the policy of an account is asked about, besides its rights. */
const USES: Readonly<Partial<Record<NodeAction, PolicyUse>>> = {
  'node.download': 'download',
  'node.upload': 'upload',
  'node.make-folder': 'make-folder',
};

/** The one place that decides who may do what to a node. */
@Injectable()
export class AccessService {
  constructor(
    private readonly grants: RightRepository,
    private readonly passes: PassRepository,
    private readonly policies: Policies,
    private readonly clock: Clock,
  ) {}

  /**
   * Passes when the actor may do `action` to every one of the nodes; takes a set so that bulk calls need no loop. A node that the actor may not
   * even see does not exist for him: NODE_NOT_FOUND. One that he may see, but not do this to: FORBIDDEN.
   */
  async require(actor: Actor, action: NodeAction, nodes: readonly NodeView[]): Promise<void> {
    const reason = await this.policyAgainst(actor, action);
    const verdicts = [...(await this.judged(actor, action, nodes, reason)).values()];
    if (verdicts.includes('unseen')) throw nodeNotFound();
    if (!verdicts.includes('refused')) return;
    throw reason === null ? new DomainError('FORBIDDEN', 'Your rights here do not allow this.') : forbiddenBy(reason);
  }

  /** Of each node, by id, whether the actor may do `action` to it. */
  async verdicts(actor: Actor, action: NodeAction, nodes: readonly NodeView[]): Promise<Map<string, Verdict>> {
    return this.judged(actor, action, nodes, await this.policyAgainst(actor, action));
  }

  /** Ids of those among the nodes to which the actor may do `action`. */
  async allowed(actor: Actor, action: NodeAction, nodes: readonly NodeView[]): Promise<Set<string>> {
    const verdicts = await this.verdicts(actor, action, nodes);
    return new Set([...verdicts].flatMap(([id, verdict]) => (verdict === 'allowed' ? [id] : [])));
  }

  /** What the actor may do to each node, by id; null where he may not even see it. No statement when all are his own, else one. */
  async rights(actor: Actor, nodes: readonly NodeView[]): Promise<Map<string, Right | null>> {
    const standings = await this.standings(actor, nodes);
    return new Map(nodes.map(({ id }) => [id, standings.get(id)?.right ?? null]));
  }

  /** Everybody who can see the node now and why, the owner first; empty for an unknown node. Agrees with `rights`. Two statements. */
  async explain(nodeId: string): Promise<Explanation> {
    const seers = new Map<number, { accountId: number; right: Right; reasons: ReasonRow[] }>();
    for (const reason of await this.grants.reasons(nodeId)) {
      const given = reason.grantId === null ? FULL_RIGHT : usable(reason);
      if (given === null) continue;
      const seer = seers.get(reason.accountId) ?? { accountId: reason.accountId, right: given, reasons: [] };
      seers.set(reason.accountId, { ...seer, right: union(seer.right, given), reasons: [...seer.reasons, reason] });
    }
    return { accounts: [...seers.values()], passes: await this.passes.openTo(nodeId, this.clock.now()) };
  }

  /** The same with what the actor's policy takes from it: who may not have bytes has no `download` anywhere. */
  async effectiveRights(actor: Actor, nodes: readonly NodeView[]): Promise<Map<string, Right | null>> {
    const rights = await this.rights(actor, nodes);
    if ((await this.policyAgainst(actor, 'node.download')) === null) return rights;
    return new Map([...rights].map(([id, right]) => [id, right && { ...right, download: false }]));
  }

  private async policyAgainst(actor: Actor, action: NodeAction): Promise<PolicyReason | null> {
    const use = USES[action];
    return use === undefined ? null : this.policies.refusal(actor, use);
  }

  private async judged(actor: Actor, action: NodeAction, nodes: readonly NodeView[], against: PolicyReason | null): Promise<Map<string, Verdict>> {
    const standings = await this.standings(actor, nodes);
    return new Map(
      nodes.map((node) => {
        const standing = standings.get(node.id) ?? NOTHING;
        if (against === null && permits(actor, action, node, standing)) return [node.id, 'allowed'];
        return [node.id, standing.right === null && !standing.adds ? 'unseen' : 'refused'];
      }),
    );
  }

  private async standings(actor: Actor, nodes: readonly NodeView[]): Promise<Map<string, Standing>> {
    if (actor.kind === 'guest') return this.ofGuest(actor, nodes);
    const standings = new Map<string, Standing>();
    const foreign: string[] = [];
    for (const node of nodes) {
      if (actor.kind === 'system' || node.ownerId === actor.accountId) standings.set(node.id, OWNER);
      else foreign.push(node.id);
    }
    if (actor.kind === 'system' || foreign.length === 0) return standings;
    for (const row of await this.grants.ofAccount(actor.accountId, foreign)) {
      standings.set(row.id, { ...NOTHING, right: usable(row), around: usable({ ...row, write: row.writeAround, delete: row.deleteAround }) });
    }
    return standings;
  }

  private async ofGuest(actor: GuestActor, nodes: readonly NodeView[]): Promise<Map<string, Standing>> {
    const ids = nodes.map((node) => node.id);
    const opened = await this.passes.opened(actor.pass, actor.passId, ids, this.clock.now());
    return new Map(opened.map(({ id, rights }) => [id, rights === 'upload' ? { ...NOTHING, adds: true } : { ...NOTHING, right: VIEW }]));
  }
}

function permits(actor: Actor, action: NodeAction, node: NodeView, { right, around, owner, adds }: Standing): boolean {
  if (owner) return true;
  if (actor.kind === 'guest' && !GUEST_ACTIONS.includes(action)) return false;
  const counted = node.kind === 'folder' && OF_PLACE.includes(action) ? around : right;
  return (adds && ADDING.includes(action)) || (counted !== null && PERMITS[action](counted));
}

/** What is in the trash is only for those who may take it back, and only for that. */
function usable({ live, write, delete: canDelete, download }: Right & { readonly live: boolean }): Right | null {
  if (live) return { write, delete: canDelete, download };
  return canDelete ? { write: false, delete: true, download: false } : null;
}

function union(a: Right, b: Right): Right {
  return { write: a.write || b.write, delete: a.delete || b.delete, download: a.download || b.download };
}

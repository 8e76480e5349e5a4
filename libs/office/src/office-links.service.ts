import { Injectable } from '@nestjs/common';

import { AccessService } from '#libs/access';
import { AccountDirectory } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { type AccountActor, DomainError, type GuestActor } from '#libs/kernel';
import { LinkDoor, LinkUsage } from '#libs/links';
import { type LocatedNode, type NodeRef, NodeResolver, VersionRepository } from '#libs/nodes';

import { actionFor, fillActionUrl, localeOf, type OfficeVerb } from './discovery/action-url.js';
import { OfficeDiscovery } from './discovery/office-discovery.service.js';
import { WopiAccess, type WopiGrant } from './wopi-access.service.js';

/** Where a file can be opened in the browser. */
export interface OfficeUrl {
  readonly url: string;
  readonly grant: WopiGrant;
  /** False: no office server is configured, and nothing but this answer is behind the URL. */
  readonly isConfigured: boolean;
}

export interface OpenLink {
  /** Segments below what the link leads to; `[]` = that itself. */
  readonly path: readonly string[];
  readonly password?: string | undefined;
  readonly ip: string;
}

/** URLs at which people look at documents and edit them. */
@Injectable()
export class OfficeLinks {
  constructor(
    private readonly discovery: OfficeDiscovery,
    private readonly grants: WopiAccess,
    private readonly resolver: NodeResolver,
    private readonly access: AccessService,
    private readonly versions: VersionRepository,
    private readonly directory: AccountDirectory,
    private readonly door: LinkDoor,
    private readonly usage: LinkUsage,
    private readonly config: AppConfig,
  ) {}

  /** NODE_NOT_FOUND, FORBIDDEN, NOT_A_FILE, VERSION_NOT_FOUND; NO_PREVIEW when the office server does not open such files, BUSY. */
  async view(actor: AccountActor, { node: ref, versionNo }: { readonly node: NodeRef; readonly versionNo?: number | undefined }): Promise<OfficeUrl> {
    const node = await this.fileOf(actor, ref);
    const old = versionNo === undefined || versionNo === 0 || versionNo === node.versionNo ? null : versionNo;
    if (old !== null && !(await this.versions.find(node.id, old))) throw new DomainError('VERSION_NOT_FOUND', 'The file has no such version.');
    const template = await this.template('view', node);
    return this.urlOf(template, await this.grants.issue(actor, node.id, { versionNo: old, mayWrite: false }), await this.langOf(actor.accountId));
  }

  /** As `view`, and FORBIDDEN without the right to write. */
  async edit(actor: AccountActor, ref: NodeRef): Promise<OfficeUrl> {
    const node = await this.fileOf(actor, ref);
    await this.access.require(actor, 'node.upload', [node]);
    const template = await this.template('edit', node);
    return this.urlOf(template, await this.grants.issue(actor, node.id, { mayWrite: true }), await this.langOf(actor.accountId));
  }

  /** What lies behind a public link, for reading; it counts as one download. Also LINK_NOT_FOUND, LINK_BLOCKED, LINK_PASSWORD_WRONG, RATE_LIMITED. */
  async viewLink(hash: string, { path, password, ip }: OpenLink): Promise<OfficeUrl> {
    const opened = await this.door.open(hash, { password, ip, rights: 'download' });
    const node = await this.fileOf(opened.guest, path.length === 0 ? { id: opened.root.id } : { path });
    const template = await this.template('view', node);
    const untilMs = opened.link.expiresMs ?? Infinity;
    const grant = await this.usage.counted(opened, () => this.grants.issue(opened.guest, node.id, { mayWrite: false, untilMs }));
    return this.urlOf(template, grant, 'en');
  }

  private async fileOf(actor: AccountActor | GuestActor, ref: NodeRef): Promise<LocatedNode> {
    const { node } = await this.resolver.get(actor, ref);
    await this.access.require(actor, 'node.download', [node]);
    if (node.kind !== 'file') throw new DomainError('NOT_A_FILE', 'A folder cannot be opened as a document.');
    return node;
  }

  /** The office server's URL for such files; null when none is configured. */
  private async template(verb: OfficeVerb, node: LocatedNode): Promise<string | null> {
    const discovery = await this.discovery.current();
    if (discovery === null) return null;
    const action = actionFor(discovery, verb, node, this.config.http.publicUrl.startsWith('https:'));
    if (action === null) throw new DomainError('NO_PREVIEW', `The office server cannot ${verb} files of this type.`);
    return action.urlTemplate;
  }

  private urlOf(template: string | null, grant: WopiGrant, lang: string): OfficeUrl {
    const { accessToken, fileId, expiresMs } = grant;
    const wopiSrc = wopiSource(this.config.http.publicUrl, fileId);
    const target = template ?? `${this.config.http.publicUrl}/api/1/wopi/no_office_server`;
    return { url: fillActionUrl(target, { wopiSrc, accessToken, expiresMs, locale: localeOf(lang) }), grant, isConfigured: template !== null };
  }

  private async langOf(accountId: number): Promise<string> {
    return (await this.directory.find([accountId])).get(accountId)?.lang ?? 'en';
  }
}

/** WOPISrc: the address of a file in the protocol. */
export function wopiSource(publicUrl: string, fileId: string): string {
  return `${publicUrl}/api/1/wopi/files/${fileId}`;
}
